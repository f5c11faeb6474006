import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { filesKey, liveKey, publicSetOf, releaseKey } from "../../blueprint/edge-table.ts";
import { STREAMED } from "../../engine/open-next/streamed-answer.ts";
import type { EdgeOptions } from "../../local/edge/edge.ts";
import { ask } from "../support/ask.ts";
import { DISTRIBUTION, release, returned, routeOf, type StubEdge, startStubEdge } from "../support/stub-edge.ts";
import { until } from "./lambda-endpoint.ts";

let edge: StubEdge;
let now: number;
let answers: number;
const start = async (options: Partial<EdgeOptions> = {}): Promise<void> => {
  now = Date.now();
  answers = 0;
  edge = await startStubEdge({ now: () => now, ...options });
};
beforeEach(() => start());
afterEach(async () => {
  vi.restoreAllMocks();
  await edge.close();
});

/** Every answer of a function says its number, and these headers. */
const answering = (headers: Record<string, string>, statusCode = 200): void => {
  edge.function = () => returned({ statusCode, headers, body: `answer ${++answers}` });
};
type Options = Parameters<typeof ask>[2];
/** What a visitor sees of an answer: its text, how it came, how old it is. */
const visit = async (path = "/page", options: Options = {}): Promise<string> => {
  const { text, headers } = await ask(edge.url, path, options);
  return [text, headers["x-cache"]?.toString().replace(" from cloudfront", ""), headers.age].filter((one) => one !== undefined).join(", ");
};
const setLive = (number: number): void => void edge.rows.set(liveKey(DISTRIBUTION), JSON.stringify(routeOf(number)));

describe("A page that may be kept", () => {
  test("is asked for once, as long as it says, and then again", async () => {
    answering({ "cache-control": "s-maxage=60" });
    expect(await visit()).toBe("answer 1, Miss");
    now += 59_000;
    expect(await visit()).toBe("answer 1, Hit, 59");
    now += 1_000;
    expect(await visit()).toBe("answer 2, Miss");
  });

  test("is served while it is fetched again, once, and not beyond what it says", async () => {
    answering({ "cache-control": "s-maxage=60, stale-while-revalidate=60" });
    await visit();
    now += 61_000;
    const fetched: (() => void)[] = [];
    edge.function = () =>
      new Promise((resolve) => {
        const headers = { "cache-control": "s-maxage=60, stale-while-revalidate=60" };
        fetched.push(() => resolve(returned({ statusCode: 200, headers, body: `answer ${++answers}` })));
      });
    expect(await Promise.all([visit(), visit(), visit()])).toEqual(Array(3).fill("answer 1, Hit, 61"));
    await until("it is fetched", () => fetched.length > 0);
    expect(await visit()).toBe("answer 1, Hit, 61");
    expect(fetched).toHaveLength(1);
    fetched[0]?.();
    await until("it was kept", async () => (await visit()) === "answer 2, Hit, 0");
    answering({ "cache-control": "s-maxage=60" });
    now += 121_000;
    expect(await visit()).toBe("answer 3, Miss");
  });

  test("is fetched again whole, whatever the visitor has and asks for", async () => {
    answering({ "cache-control": "s-maxage=60, stale-while-revalidate=60", etag: '"e1"' });
    await visit();
    now += 61_000;
    expect((await ask(edge.url, "/page", { method: "HEAD", headers: { "if-none-match": '"e1"', range: "bytes=0-1" } })).status).toBe(304);
    await until("it is fetched", () => edge.events.length === 2);
    const { headers, requestContext } = edge.events[1]?.event ?? expect.fail("nothing was fetched");
    expect([headers["if-none-match"], headers.range, requestContext.http.method]).toEqual([undefined, undefined, "GET"]);
  });

  test("is served while it can not be fetched again, and forgotten where it may no longer be kept", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    answering({ "cache-control": "s-maxage=60, stale-while-revalidate=600" });
    await visit();
    now += 61_000;
    edge.function = () => Promise.reject(new Error("no function"));
    expect(await visit()).toBe("answer 1, Hit, 61");
    answering({ "cache-control": "no-store" });
    expect(await visit()).toContain("Hit");
    await until("it was forgotten", async () => (await visit()).includes("Miss"));
  });

  test.each([
    ["a page for a minute", "/page", 60],
    ["a picture for a year", "/_next/image?url=a&w=1&q=2", 365 * 86_400],
  ])("is kept at most, whatever it says: %s", async (_what, path, seconds) => {
    answering({ "cache-control": "s-maxage=315360000" });
    await visit(path);
    now += seconds * 1_000 - 1_000;
    expect(await visit(path)).toContain("Hit");
    now += 1_000;
    expect(await visit(path)).toBe("answer 2, Miss");
  });

  test("is served while it is fetched again for no longer than it may be kept", async () => {
    answering({ "cache-control": "s-maxage=31536000, stale-while-revalidate=2592000" });
    await visit();
    now += 119_000;
    expect(await visit()).toBe("answer 1, Hit, 119");
    await until("it is fetched", () => answers === 2);
    now += 120_000;
    expect(await visit()).toBe("answer 3, Miss");
  });

  test("and has a tag is not made again where the server says that it is the same", async () => {
    edge.function = (_, { headers }) =>
      headers["if-none-match"] === '"e1"'
        ? returned({ statusCode: 304, headers: { "cache-control": "s-maxage=60" } })
        : returned({ statusCode: 200, headers: { etag: '"e1"', "cache-control": "s-maxage=60" }, body: `answer ${++answers}` });
    await visit();
    now += 61_000;
    expect(await visit()).toBe("answer 1, RefreshHit");
    expect(await visit()).toBe("answer 1, Hit, 0");
  });

  test("is a 304 to who has it, a part to who asks for one, and its length to HEAD", async () => {
    answering({
      "cache-control": "s-maxage=60",
      etag: '"e1"',
      "last-modified": "Wed, 01 Jan 2025 00:00:00 GMT",
      "content-type": "text/html",
    });
    await visit();
    const of = async (headers: Record<string, string>, method = "GET") => {
      const answer = await ask(edge.url, "/page", { method, headers });
      return [answer.status, answer.text, answer.headers["content-range"] ?? answer.headers["content-length"]];
    };
    expect(await of({ "if-none-match": 'W/"e1"' })).toEqual([304, "", undefined]);
    expect(await of({ "if-modified-since": "Thu, 02 Jan 2025 00:00:00 GMT" })).toEqual([304, "", undefined]);
    expect(await of({ range: "bytes=0-2" })).toEqual([206, "ans", "bytes 0-2/8"]);
    expect(await of({ range: "bytes=-1" })).toEqual([206, "1", "bytes 7-7/8"]);
    expect(await of({ range: "bytes=7-" })).toEqual([206, "1", "bytes 7-7/8"]);
    expect(await of({ range: "bytes=8-" })).toEqual([416, "", "bytes */8"]);
    expect(await of({ range: "bytes=0-1,3-4" })).toEqual([200, "answer 1", "8"]);
    expect(await of({}, "HEAD")).toEqual([200, "", "8"]);
    expect(answers).toBe(1);
  });

  test("is kept with its cookies and for whoever asked, as CloudFront does it", async () => {
    edge.function = () =>
      returned({ statusCode: 200, headers: { "cache-control": "s-maxage=60" }, cookies: ["a=1"], body: `answer ${++answers}` });
    await visit("/page", { headers: { authorization: "Bearer a" } });
    const { headers, text } = await ask(edge.url, "/page", { headers: { "cache-control": "no-cache", pragma: "no-cache" } });
    expect([text, headers["set-cookie"], headers["x-cache"]]).toEqual(["answer 1", ["a=1"], "Hit from cloudfront"]);
  });
});

describe("What is not kept", () => {
  test.each<[string, Record<string, string>, number]>([
    ["that says nothing", {}, 200],
    ["that is only dated", { "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT" }, 200],
    ["that is private", { "cache-control": "private, max-age=60" }, 200],
    ["that must not be stored", { "cache-control": "no-store, s-maxage=60" }, 200],
    ["of a second ago at most", { "cache-control": "public, max-age=0, must-revalidate" }, 200],
    ["that was an error and says nothing", {}, 404],
    ["that failed", { "cache-control": "s-maxage=60" }, 500],
  ])("is an answer %s", async (_, headers, status) => {
    answering(headers, status);
    await visit();
    expect(await visit()).toBe("answer 2, Miss");
  });

  test("is what is asked with another method, and the visitor of a kept page is not answered from it", async () => {
    answering({ "cache-control": "s-maxage=60" });
    await visit("/page", { method: "POST", body: "a" });
    await visit("/page", { method: "HEAD" });
    expect(await visit()).toBe("answer 3, Miss");
    expect(await visit("/page", { method: "POST", body: "a" })).toBe("answer 4, Miss");
    expect(await visit()).toBe("answer 3, Hit, 0");
  });

  test("is an error, but where it says that it may be", async () => {
    answering({ "cache-control": "s-maxage=60" }, 404);
    await visit();
    expect(await visit()).toBe("answer 1, Hit, 0");
  });
});

describe("What is kept apart", () => {
  test.each<[string, string, Options]>([
    ["another path", "/other", {}],
    ["another query", "/page?a=2", {}],
    ["the payload of a page", "/page", { headers: { rsc: "1" } }],
    ["a prefetch", "/page", { headers: { rsc: "1", "next-router-prefetch": "1" } }],
    ["draft mode", "/page", { headers: { cookie: "__prerender_bypass=1" } }],
    ["what a client can decode", "/page", { headers: { "accept-encoding": "br" } }],
    ["a picture for who takes another type", "/_next/image?url=a", { headers: { accept: "image/webp" } }],
  ])("is %s", async (_, path, options) => {
    answering({ "cache-control": "s-maxage=60", vary: "*" });
    for (const url of ["/page", "/_next/image?url=a"]) await visit(url);
    expect(await visit(path, options)).toBe("answer 3, Miss");
  });

  test.each<[string, string, Options]>([
    ["a digest of where one comes from", "/page?_rsc=1a2b", {}],
    ["the id of the release that is live", `/page?dpl=${release(7)}`, {}],
    ["a cookie of the app", "/page", { headers: { cookie: "session=1" } }],
    ["a language", "/page", { headers: { "accept-language": "de" } }],
    ["an encoding that is none of CloudFront's", "/page", { headers: { "accept-encoding": "deflate, br;q=0" } }],
  ])("is not %s", async (_, path, options) => {
    answering({ "cache-control": "s-maxage=60", vary: "Cookie, Accept-Language" });
    await visit();
    expect(await visit(path, options)).toBe("answer 1, Hit, 0");
  });
});

describe("A flip", () => {
  test("is seen by the next visitor, whatever was kept, and so is a rollback, which asks nobody again", async () => {
    answering({ "cache-control": "s-maxage=31536000" });
    setLive(7);
    expect(await visit()).toBe("answer 1, Miss");
    setLive(8);
    expect(await visit()).toBe("answer 2, Miss");
    expect(edge.events.map(({ target }) => target)).toEqual(["server7", "server8"]);
    setLive(7);
    expect(await visit()).toBe("answer 1, Hit, 0");
  });

  test("names on what was kept the release and the sequence of its row", async () => {
    answering({ "cache-control": "s-maxage=60" });
    edge.rows.set(liveKey(DISTRIBUTION), JSON.stringify(routeOf(7)));
    await visit();
    edge.rows.set(liveKey(DISTRIBUTION), JSON.stringify(routeOf(7, { sequence: 9 })));
    const { headers } = await ask(edge.url, "/page");
    expect([headers["x-cache"], headers["x-shiplog-deployment"], headers["x-shiplog-sequence"]]).toEqual([
      "Hit from cloudfront",
      release(7),
      "9",
    ]);
  });

  test("leaves a client that names its release with it, also where that release's answer was kept", async () => {
    answering({ "cache-control": "s-maxage=60" });
    setLive(8);
    edge.rows.set(releaseKey(DISTRIBUTION, release(7)), JSON.stringify(routeOf(7)));
    const navigates = (number: number) => visit("/page", { headers: { rsc: "1", "x-deployment-id": release(number) } });
    expect([await navigates(7), await navigates(6), await navigates(7)]).toEqual(["answer 1, Miss", "answer 2, Miss", "answer 1, Hit, 0"]);
    expect(edge.events.map(({ target }) => target)).toEqual(["server7", "server8"]);
  });

  test("is seen as late as rows come to a point of presence", async () => {
    await edge.close();
    const asked: number[] = [];
    const flippedAt = Date.now() + 5_000;
    const table = {
      get: async (key: string, at: number) => {
        asked.push(at);
        return key === liveKey(DISTRIBUTION) ? JSON.stringify(routeOf(at < flippedAt ? 7 : 8)) : undefined;
      },
    };
    await start({ table, tableDelayMs: 1_000 });
    now = flippedAt + 999;
    expect(await visit()).toBe("from server7, Miss");
    now = flippedAt + 1_000;
    expect(await visit()).toBe("from server8, Miss");
    expect(asked).toEqual([flippedAt - 1, flippedAt]);
  });

  test("is not told by a row that the router did not take", async () => {
    edge.rows.set(liveKey(DISTRIBUTION), JSON.stringify({ ...routeOf(8), until: 1 }));
    const { text, headers } = await ask(edge.url, "/page");
    expect([text, headers["x-shiplog-sequence"]]).toEqual(["from server", "7"]);
  });

  test("that the table does not know yet is the alias' own, and never served to who the table knows", async () => {
    answering({ "cache-control": "s-maxage=60" });
    edge.rows.set(liveKey(DISTRIBUTION), "");
    expect(await visit()).toBe("answer 1, Miss");
    expect(edge.events[0]?.target).toBe("server");
    setLive(7);
    expect(await visit()).toBe("answer 2, Miss");
  });
});

describe("An invalidation", () => {
  test.each<[string, string[], string[]]>([
    ["everything", ["/*"], []],
    ["a path", ["/a"], ["/a?x=1", "/a/b", "/c"]],
    ["a path and its queries", ["/a?*"], ["/a", "/a/b", "/c"].slice(0, 1).concat("/c")],
    ["what lies below", ["/a/*", "/c"], ["/a", "/a?x=1"]],
  ])("of %s forgets that, and nothing else", async (what, paths, left) => {
    answering({ "cache-control": "s-maxage=60" });
    const all = ["/a", "/a?x=1", "/a/b", "/c"];
    for (const path of all) await visit(path);
    edge.invalidate(paths);
    const hits: string[] = [];
    for (const path of all) if ((await visit(path)).includes("Hit")) hits.push(path);
    // a question mark is a wildcard, too
    expect(hits).toEqual(what === "a path and its queries" ? ["/a", "/c"] : left);
  });

  test("is not undone by an answer that was asked for before it", async () => {
    let answer: (() => void) | undefined;
    edge.function = () =>
      new Promise((resolve) => {
        answer = () => resolve(returned({ statusCode: 200, headers: { "cache-control": "s-maxage=60" }, body: "from before" }));
      });
    const first = visit();
    await until("it was asked for", () => answer !== undefined);
    edge.invalidate(["/*"]);
    answer?.();
    expect(await first).toBe("from before, Miss");
    answering({});
    expect(await visit()).toBe("answer 1, Miss");
  });
});

describe("A file", () => {
  test("is read once, and compressed to who takes it, also when it was kept", async () => {
    const body = Buffer.from("export const words = [];\n".repeat(50));
    const headers = { "content-type": "text/javascript", "cache-control": "public,max-age=31536000,immutable", etag: '"e9"' };
    edge.publish("a.js", { status: 200, headers, body });
    expect(await visit("/a.js")).toContain("Miss");
    edge.files.clear();
    const { headers: kept, body: sent } = await ask(edge.url, "/a.js?v=2", { headers: { cookie: "a=1" } });
    expect([kept["x-cache"], kept["x-shiplog-deployment"], sent.equals(body)]).toEqual(["Hit from cloudfront", release(7), true]);
    const part = await ask(edge.url, "/a.js", { headers: { range: "bytes=0-5" } });
    expect([part.status, part.text, part.headers["content-range"]]).toEqual([206, "export", `bytes 0-5/${body.length}`]);
  });

  test("of many names the release that the router chose, and not what the alias says", async () => {
    const { files, rows } =
      publicSetOf(
        "a".repeat(16),
        Array.from({ length: 100 }, (_, at) => `p/${at}.txt`),
      ) ?? expect.fail();
    rows.forEach((row, at) => void edge.rows.set(filesKey(DISTRIBUTION, files.set, at), row));
    edge.rows.set(liveKey(DISTRIBUTION), JSON.stringify(routeOf(8, { files })));
    edge.files.set(`_public/${files.set}/p/99.txt`, { status: 200, headers: {}, body: Buffer.from("ninety-nine") });
    const { text, headers } = await ask(edge.url, "/p/99.txt");
    expect([text, headers["x-shiplog-deployment"], headers["x-shiplog-sequence"]]).toEqual(["ninety-nine", release(8), "8"]);
  });

  test("of the static ones is compressed from what was kept", async () => {
    const headers = { "content-type": "text/javascript", "cache-control": "max-age=60" };
    edge.files.set("_next/static/a.js", { status: 200, headers, body: Buffer.alloc(2_000, "a") });
    const of = async () => {
      const answer = await ask(edge.url, "/_next/static/a.js", { headers: { "accept-encoding": "gzip" } });
      return [answer.headers["x-cache"], answer.headers["content-encoding"], answer.headers.vary];
    };
    expect(await of()).toEqual(["Miss from cloudfront", "gzip", "Accept-Encoding"]);
    expect(await of()).toEqual(["Hit from cloudfront", "gzip", "Accept-Encoding"]);
  });
});

describe("The room of what is kept", () => {
  test("is bounded: what was used longest ago goes, and what is too large is not kept", async () => {
    await edge.close();
    await start({ keptMax: 40_000 });
    edge.function = (_, { rawPath }) =>
      returned({ statusCode: 200, headers: { "cache-control": "s-maxage=60" }, body: "x".repeat(Number(rawPath.split("/")[2])) });
    for (const name of ["a", "b", "c"]) await visit(`/${name}/9000`);
    await visit("/a/9000");
    for (const name of ["d", "e"]) await visit(`/${name}/9000`);
    const isKept = async (path: string) => (await visit(path)).includes("Hit");
    expect(await isKept("/a/9000")).toBe(true);
    expect(await isKept("/b/9000")).toBe(false);
    await visit("/large/11000");
    expect(await isKept("/large/11000")).toBe(false);
  });
});

describe("A stream", () => {
  const streaming = (body: Readable) => {
    const prelude = JSON.stringify({ statusCode: 200, headers: { "cache-control": "s-maxage=60" } });
    body.unshift(Buffer.concat([Buffer.from(prelude), Buffer.alloc(8)]));
    return { contentType: STREAMED, body, description: `seq=7 dep=${release(7)}` };
  };

  test("is kept when it came to its end, and goes through before that", async () => {
    const body = new Readable({ read() {} });
    edge.function = () => streaming(body);
    const response = await fetch(`${edge.url}/page`);
    const reader = response.body?.getReader();
    body.push("one ");
    expect(Buffer.from((await reader?.read())?.value ?? "").toString()).toBe("one ");
    body.push("two");
    body.push(null);
    while (!(await reader?.read())?.done);
    expect(await visit("/page", { headers: { "accept-encoding": "gzip, deflate" } })).toContain("one two, Hit");
  });

  test("is not kept when it broke off", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const body = new Readable({ read() {} });
    edge.function = () => streaming(body);
    const visitor = visit();
    body.push("one ");
    await until("it is read", () => body.readableLength === 0);
    body.destroy(new Error("halfway"));
    await expect(visitor).rejects.toThrow();
    answering({});
    expect(await visit()).toBe("answer 1, Miss");
  });
});

describe("A router that fails", () => {
  test.each(["function handler() { throw new Error('secret'); }", "function handler() { for (;;) {} }"])(
    "is CloudFront's 503: %s",
    async (router) => {
      const log = vi.spyOn(console, "error").mockImplementation(() => {});
      await edge.close();
      await start({ router });
      const { status, headers, text } = await ask(edge.url, "/page");
      expect([status, headers["x-cache"], text.includes("secret")]).toEqual([503, "FunctionExecutionError from cloudfront", false]);
      expect(log.mock.calls[0]?.[0]).toContain(headers["x-shiplog-request"]);
    },
  );

  test("because it chose an origin that is not there, too", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    await edge.close();
    await start({
      router: "import cf from 'cloudfront';\nfunction handler(event) { cf.selectRequestOriginById('nowhere'); return event.request; }",
    });
    expect((await ask(edge.url, "/page")).status).toBe(503);
  });
});

describe("A candidate's page", () => {
  const CANDIDATE = routeOf(12);
  const setCandidate = (percent: number): void => {
    const candidate = { release: CANDIDATE.release, sequence: 12, percent };
    edge.rows.set(liveKey(DISTRIBUTION), JSON.stringify({ ...routeOf(9), candidate }));
    edge.rows.set(releaseKey(DISTRIBUTION, CANDIDATE.release), JSON.stringify(CANDIDATE));
  };
  const open = async (headers: Record<string, string> = {}) => {
    const answer = await ask(edge.url, "/page", { headers: { accept: "text/html", ...headers } });
    return { text: answer.text, sequence: answer.headers["x-shiplog-sequence"], cookies: answer.headers["set-cookie"] };
  };

  test("is kept apart from what is live, and each visitor is told a bucket once", async () => {
    edge.function = (target) => returned({ statusCode: 200, headers: { "cache-control": "s-maxage=60" }, body: target });
    setCandidate(50);
    const first = await open();
    const [cookie = ""] = first.cookies ?? [];
    expect(cookie).toMatch(/^__shiplog=\d{1,3}\.12; Path=\/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax$/);
    const mine = { cookie: cookie.split(";", 1)[0] ?? "" };
    for (let again = 0; again < 3; again++) expect(await open(mine)).toEqual({ ...first, cookies: undefined });
    expect(await open({ cookie: "__shiplog=0.12" })).toMatchObject({ text: "server12", sequence: "12", cookies: undefined });
    expect(await open({ cookie: "__shiplog=999.12" })).toMatchObject({ text: "server9", sequence: "9", cookies: undefined });
    // kept for all, and still everybody has a bucket of their own
    expect((await open()).cookies).toHaveLength(1);
  });

  test("that fails keeps nobody", async () => {
    edge.function = () => returned({ statusCode: 500, headers: {}, body: "no" });
    setCandidate(100);
    expect(await open()).toMatchObject({ sequence: "12", cookies: undefined });
    setCandidate(0);
    edge.function = (target) => returned({ statusCode: 200, headers: {}, body: target });
    expect(await open()).toMatchObject({ text: "server9" });
  });
});
