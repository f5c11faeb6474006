import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask } from "../support/ask.ts";
import { type StubEdge, startStubEdge } from "../support/stub-edge.ts";

let edge: StubEdge;
beforeAll(async () => {
  edge = await startStubEdge();
  const headers = { "Content-Type": "text/plain", "Cache-Control": "public,max-age=0", ETag: '"e1"', "x-amz-request-id": "r1" };
  edge.files.set("robots.txt", { status: 200, headers, body: Buffer.from("Allow: /") });
  edge.files.set("docs/read me [1].txt", { status: 200, headers, body: Buffer.from("brackets") });
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
      "x-shiplog-deployment": "dep_7",
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

  test("is sent in part when a range is asked for", async () => {
    const { status, text } = await ask(edge.url, "/robots.txt", { headers: { range: "bytes=0-1" } });
    expect({ status, text }).toEqual({ status: 206, text: "Al" });
  });

  test("can not be written", async () => {
    const { status, headers } = await ask(edge.url, "/robots.txt", { method: "POST", body: "Disallow: /" });
    expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: "GET, HEAD" });
  });

  test("that is not there is 404, with a page that says so", async () => {
    const { status, text, headers } = await ask(edge.url, "/docs/none.txt");
    expect(status).toBe(404);
    expect(text).toContain("There is no such file");
    expect(headers["x-shiplog-deployment"]).toBe("dep_7");
  });

  test.each(["/docs/../secret", "/docs/%2e%2e/secret", "/docs/..%2Fsecret", "/docs/%00", "/docs/%zz"])(
    "can not be named %s",
    async (path) => {
      expect((await ask(edge.url, path)).status).toBe(400);
    },
  );
});
