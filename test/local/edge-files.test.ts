import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { liveKey } from "../../blueprint/edge-table.ts";
import { ORIGIN_HEADER } from "../../blueprint/site-resources.ts";
import { ask } from "../support/ask.ts";
import { DISTRIBUTION, release, returned, routeOf, type StubEdge, startStubEdge } from "../support/stub-edge.ts";

const LONG = Buffer.from("export const words = [];\n".repeat(50));
const LENGTHS: Readonly<Record<string, number>> = {
  "/docs/short.js": 999,
  "/docs/picture.png": LONG.length,
  "/docs/encoded.js": LONG.length,
};
let edge: StubEdge;
beforeAll(async () => {
  edge = await startStubEdge();
  const headers = { "Content-Type": "text/plain", "Cache-Control": "public,max-age=0", ETag: '"e1"', "x-amz-request-id": "r1" };
  edge.publish("robots.txt", { status: 200, headers, body: Buffer.from("Allow: /") });
  edge.publish("docs/read me [1].txt", { status: 200, headers, body: Buffer.from("brackets") });
  const file = (body: Buffer, type: string, more = {}) => ({ status: 200, headers: { "content-type": type, etag: '"e9"', ...more }, body });
  edge.publish("docs/dated.txt", file(Buffer.from("dated"), "text/plain", { "last-modified": "Wed, 01 Jan 2025 00:00:00 GMT" }));
  edge.publish("docs/long.js", file(LONG, "text/javascript; charset=utf-8"));
  edge.publish("docs/short.js", file(LONG.subarray(0, 999), "text/javascript"));
  edge.publish("docs/picture.png", file(LONG, "image/png"));
  edge.publish("docs/encoded.js", file(LONG, "text/javascript", { "content-encoding": "gzip" }));
  edge.files.set("_next/static/größe.js", { status: 200, headers, body: Buffer.from("umlauts") });
});
afterAll(() => edge.close());

describe("A public file", () => {
  test("is answered from the assets with its headers, and names the live release", async () => {
    const { status, headers, text } = await ask(edge.url, "/robots.txt?v=1");
    expect({ status, text }).toEqual({ status: 200, text: "Allow: /" });
    expect(headers).toMatchObject({
      "content-type": "text/plain",
      "cache-control": "public,max-age=0",
      etag: '"e1"',
      "content-length": "8",
      "x-shiplog-deployment": release(7),
      "x-shiplog-sequence": "7",
    });
    expect(headers).not.toHaveProperty("x-amz-request-id");
  });

  test("may have blanks, brackets and umlauts in its name", async () => {
    expect((await ask(edge.url, "/docs/read%20me%20%5B1%5D.txt")).text).toBe("brackets");
    expect((await ask(edge.url, "/_next/static/gr%C3%B6%C3%9Fe.js")).text).toBe("umlauts");
  });

  test("has no body when asked with HEAD, but its length", async () => {
    const { status, headers, body } = await ask(edge.url, "/robots.txt", { method: "HEAD" });
    expect({ status, length: headers["content-length"], body: body.length }).toEqual({ status: 200, length: "8", body: 0 });
  });

  test("is not sent again to who has it", async () => {
    const { status, headers, body } = await ask(edge.url, "/robots.txt", { headers: { "if-none-match": '"e1"' } });
    expect({ status, etag: headers.etag, body: body.length }).toEqual({ status: 304, etag: '"e1"', body: 0 });
    expect(headers).not.toHaveProperty("content-length");
  });

  test("keeps on its 304 what says how long it is good for, and nothing of its body", async () => {
    const { headers } = await ask(edge.url, "/robots.txt", { headers: { "if-none-match": 'W/"e0", W/"e1"' } });
    expect(headers).toMatchObject({ etag: '"e1"', "cache-control": "public,max-age=0" });
    expect(headers).not.toHaveProperty("content-type");
  });

  test("is not sent again to who has it since its last change, unless their tag says that it is another", async () => {
    const since = async (date: string, more = {}) =>
      (await ask(edge.url, "/docs/dated.txt", { headers: { "if-modified-since": date, ...more } })).status;
    expect(await since("Wed, 01 Jan 2025 00:00:01 GMT")).toBe(304);
    expect(await since("Wed, 01 Jan 2025 00:00:00 GMT")).toBe(304);
    expect(await since("Tue, 31 Dec 2024 23:59:59 GMT")).toBe(200);
    expect(await since("yesterday")).toBe(200);
    expect(await since("Wed, 01 Jan 2025 00:00:01 GMT", { "if-none-match": '"other"' })).toBe(200);
  });

  test("says that parts of it can be had, and its size to who asks for one behind its end", async () => {
    expect((await ask(edge.url, "/robots.txt")).headers["accept-ranges"]).toBe("bytes");
    const { status, headers } = await ask(edge.url, "/robots.txt", { headers: { range: "bytes=999-" } });
    expect({ status, range: headers["content-range"] }).toEqual({ status: 416, range: "bytes */8" });
  });

  test.each([
    ["gzip, br", "br"],
    ["gzip;q=1.0, br;q=0", "gzip"],
    ["*", "br"],
    ["deflate", undefined],
    ["", undefined],
  ])("is compressed for who takes %j with %s, and is the same", async (accepted, encoding) => {
    const { headers, body } = await ask(edge.url, "/docs/long.js", { headers: { "accept-encoding": accepted } });
    expect(headers["content-encoding"]).toBe(encoding);
    expect(headers).toMatchObject({ vary: "Accept-Encoding", etag: encoding === undefined ? '"e9"' : 'W/"e9"' });
    const plain = encoding === "br" ? brotliDecompressSync(body) : encoding === "gzip" ? gunzipSync(body) : body;
    expect(plain.equals(LONG)).toBe(true);
    expect(headers["content-length"]).toBe(String(body.length));
  });

  test.each([
    ["/docs/short.js", "shorter than a thousand bytes"],
    ["/docs/picture.png", "of a type that is compressed already"],
    ["/docs/encoded.js", "encoded as it lies there"],
  ])("is not compressed where it is like %s: %s", async (path) => {
    const { headers, body } = await ask(edge.url, path, { headers: { "accept-encoding": "gzip, br" } });
    expect(headers["content-encoding"]).toBe(path === "/docs/encoded.js" ? "gzip" : undefined);
    expect(body.length).toBe(LENGTHS[path]);
  });

  test("is sent in part when a range is asked for", async () => {
    const { status, text } = await ask(edge.url, "/robots.txt", { headers: { range: "bytes=0-1" } });
    expect({ status, text }).toEqual({ status: 206, text: "Al" });
  });

  test("can not be written", async () => {
    const { status, headers } = await ask(edge.url, "/_next/static/gr%C3%B6%C3%9Fe.js", { method: "POST", body: "Disallow: /" });
    expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: "GET, HEAD" });
  });

  test("that is not there is the app's to answer, which has a page for that", async () => {
    edge.function = () => returned({ statusCode: 404, headers: { "content-type": "text/html" }, body: "<h1>Nothing here</h1>" });
    const { status, text, headers } = await ask(edge.url, "/_next/static/none.js?v=1", { headers: { cookie: "a=1", rsc: "1" } });
    expect([status, text, headers["x-shiplog-deployment"]]).toEqual([404, "<h1>Nothing here</h1>", release(7)]);
    const { target, event } = edge.events.at(-1) ?? {};
    expect([target, event?.rawPath, event?.rawQueryString, event?.cookies]).toEqual(["server", "/_next/static/none.js", "", []]);
    // as the CDN: it keeps files by their path and host
    expect(event?.headers).toMatchObject({ "x-forwarded-host": `127.0.0.1:${edge.port}` });
    expect(event?.headers).not.toHaveProperty("rsc");
  });

  describe("of Next.js, of an app with a basePath", () => {
    const asked = async (path: string, options: Parameters<typeof startStubEdge>[0] = {}) => {
      const own = await startStubEdge({ originKeys: ["key"], ...options });
      try {
        own.rows.set(liveKey(DISTRIBUTION), JSON.stringify(routeOf(7, { base: "docs" })));
        own.function = (_, { headers }) => returned({ statusCode: headers[ORIGIN_HEADER] === "key" ? 404 : 403, body: "the app's" });
        const { status, text } = await ask(own.url, path);
        return [status, text, own.events.at(-1)?.target];
      } finally {
        await own.close();
      }
    };

    test("is the app's to answer outside of it, which has none there", async () => {
      for (const path of ["/_next/x", "/_next/static/x.js", "/docs/_next/x"])
        expect([path, ...(await asked(path))]).toEqual([path, 404, "the app's", "server"]);
      expect(await asked("/_next/data/b/a.json")).toEqual([404, "the app's", "server7"]);
    });

    test("is refused by an address that is asked in place of files: it is not told that the edge asks", async () => {
      const router = `import cf from 'cloudfront';
        function handler(event) { cf.updateRequestOrigin({ domainName: 'server7.example' }); return event.request; }`;
      expect(await asked("/_next/x", { router })).toEqual([403, "the app's", "server7"]);
    });
  });

  test("of the release's set that is not there is what S3 says of it, since no function has it either", async () => {
    edge.publish("docs/lost.txt", { status: 200, headers: {}, body: Buffer.from("") });
    edge.files.delete(`_public/${"7".repeat(16)}/docs/lost.txt`);
    const { status, text } = await ask(edge.url, "/docs/lost.txt");
    expect([status, text.includes("AccessDenied")]).toEqual([403, true]);
  });

  test.each(["/_next/static/../secret", "/_next/%2e%2e/secret", "/_next/..%2Fsecret", "/_next/%00", "/_next/static/%zz"])(
    "can not be named %s",
    async (path) => {
      expect((await ask(edge.url, path)).status).toBe(400);
    },
  );
});
