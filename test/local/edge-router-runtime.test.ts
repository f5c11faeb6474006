import { Script } from "node:vm";
import ts from "typescript";
import { describe, expect, test, vi } from "vitest";
import { answerSource, loadCookies } from "../../local/edge/bucket-cookie.ts";
import { loadRouter, type ReadRow, type RouterEvent, RouterFailed, routerSource, SOURCE_MAX } from "../../local/edge/router-runtime.ts";
import { routerEvent } from "../../local/edge/viewer-request.ts";

const EVENT: RouterEvent = routerEvent(
  {
    method: "GET",
    path: "/a",
    query: "x=1&y=2&x=3",
    headers: { host: "web.example", cookie: "a=1; b=2", connection: "close", via: "1.1 a" },
  },
  { distribution: "E1", requestId: "r", ip: "192.0.2.1" },
);
const HEAD = "import cf from 'cloudfront';\nimport crypto from 'crypto';\n";
const run = (body: string, read: ReadRow = (key) => `row of ${key}`) =>
  loadRouter(`${HEAD}const table = cf.kvs();\nasync function handler(event) {\n  const request = event.request;\n  ${body}\n}`)(
    EVENT,
    read,
  );
const failsWith = (text: string) => expect.objectContaining({ name: "RouterFailed", message: expect.stringContaining(text) });
const told = async (body: string, read?: ReadRow): Promise<string | undefined> =>
  (await run(`request.headers.told = { value: String(${body}) }; return request;`, read)).request.headers.told?.value;

describe("A function of the edge", () => {
  test("is given a visitor's request as CloudFront gives it", () => {
    expect(EVENT).toEqual({
      version: "1.0",
      context: { distributionDomainName: "e1.cloudfront.net", distributionId: "E1", eventType: "viewer-request", requestId: "r" },
      viewer: { ip: "192.0.2.1" },
      request: {
        method: "GET",
        uri: "/a",
        querystring: { x: { value: "1", multiValue: [{ value: "1" }, { value: "3" }] }, y: { value: "2" } },
        headers: { host: { value: "web.example" }, via: { value: "1.1 a" } },
        cookies: { a: { value: "1" }, b: { value: "2" } },
      },
    });
  });

  test("looks up rows, also as JSON, and hears an error for one that is not there or can not be had", async () => {
    expect(await told("await table.get('a')")).toBe("row of a");
    expect(await told("(await table.get('a', { format: 'json' })).b", async () => '{"b":1}')).toBe("1");
    expect(await told("await table.get('a').then(() => 'there', (error) => error.message)", () => undefined)).toContain("KeyNotFound");
    const refused = () => Promise.reject(new Error("throttled"));
    expect(await told("await table.get('a').then(() => 'there', (error) => error.message)", refused)).toContain("throttled");
  });

  test("chooses an origin by its host or its id, the last time that it says so", async () => {
    const { origin } = await run("cf.selectRequestOriginById('a'); cf.updateRequestOrigin({ domainName: 'b.example' }); return request;");
    expect(origin).toEqual({ domainName: "b.example" });
    expect((await run("cf.selectRequestOriginById('a'); return request;")).origin).toEqual({ originId: "a" });
    expect((await run("return request;")).origin).toBeUndefined();
  });

  test("makes digests", async () => {
    expect(await told("crypto.createHash('sha256').update('a').digest('hex').slice(0, 8)")).toBe("ca978112");
  });

  test("may be one that waits for nothing", async () => {
    expect((await loadRouter("function handler(event) { return event.request; }")(EVENT, () => undefined)).request).toEqual(EVENT.request);
  });

  test.each(["process", "require", "fetch", "setTimeout", "Map", "eval", "structuredClone", "URL", "WebAssembly", "Intl"])(
    "has no %s",
    async (name) => {
      expect(await told(`typeof ${name}`)).toBe("undefined");
    },
  );

  test.each(["(() => {}).constructor('return 1')()", "Object.getPrototypeOf(async () => {}).constructor('return 1')"])(
    "makes no code of strings: %s",
    async (code) => {
      await expect(run(`${code}; return request;`)).rejects.toEqual(failsWith("Code generation from strings disallowed"));
    },
  );

  test("is run for many visitors at once, each with rows and a request of its own", async () => {
    const router = loadRouter(`${HEAD}async function handler(event) {
      event.request.headers.told = { value: await cf.kvs().get(event.context.requestId) };
      return event.request;
    }`);
    const ask = async (at: number) => {
      const event = { ...EVENT, context: { ...EVENT.context, requestId: String(at) } };
      const { request } = await router(event, async (key) => `row ${key}`);
      return request.headers.told?.value;
    };
    const all = Array.from({ length: 50 }, (_, at) => at);
    expect(await Promise.all(all.map(ask))).toEqual(all.map((at) => `row ${at}`));
  });
});

describe("A function that CloudFront would not take", () => {
  test("is refused when it is loaded: it is too long, or no JavaScript", () => {
    const filled = (bytes: number) => `async function handler(event) { return event.request; }//`.padEnd(bytes, "x");
    expect(() => loadRouter(filled(SOURCE_MAX))).not.toThrow();
    expect(() => loadRouter(filled(SOURCE_MAX + 1))).toThrow(RouterFailed);
    expect(() => loadRouter("async function handler( {")).toThrow("Unexpected");
  });

  test.each([
    ["throws", "throw new Error('halfway');", "halfway"],
    ["never ends", "for (;;) {}", "timed out"],
    ["never ends after it looked up a row", "await table.get('a'); for (;;) {}", "timed out"],
    ["waits for what nobody does", "await new Promise(() => {});", "never came to an end"],
    ["looks up a fourth row", "for (let i = 0; i < 4; i++) await table.get('a'); return request;", "4 rows"],
    ["gives back nothing", "", "uri"],
    ["answers itself", "return { statusCode: 302 };", "uri"],
    ["goes to no path", "request.uri = 'a'; return request;", "slash"],
    ["changes the method", "request.method = 'POST'; return request;", "method"],
    ["changes the host", "request.headers.host = { value: 'b.example' }; return request;", "host"],
    ["removes what it may not change", "delete request.headers.via; return request;", "via"],
    ["sets a header as a text", "request.headers.a = 'b'; return request;", "header a"],
    ["sets a header in capitals", "request.headers.A = { value: 'b' }; return request;", "header A"],
  ])("fails: it %s", async (_, body, why) => {
    await expect(run(body)).rejects.toEqual(failsWith(why));
  });

  test("leaves the next request as it found it", async () => {
    const router = loadRouter("function handler(event) { if (event.context.requestId === 'bad') for (;;) {} return event.request; }");
    const bad = router({ ...EVENT, context: { ...EVENT.context, requestId: "bad" } }, () => undefined);
    await expect(bad).rejects.toBeInstanceOf(RouterFailed);
    expect((await router(EVENT, () => undefined)).request).toEqual(EVENT.request);
  });

  test("may write to the log", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    await run("console.log('a' + 1); return request;");
    expect(log.mock.calls).toEqual([["a1"]]);
    log.mockRestore();
  });
});

/** What the documentation of cloudfront-js-2.0 names, of the kinds of syntax that are newer than ES5.1. */
const tooNew = (node: ts.Node): string | undefined => {
  const { SyntaxKind: kind } = ts;
  const refused: Partial<Record<ts.SyntaxKind, string>> = {
    [kind.QuestionDotToken]: "?.",
    [kind.QuestionQuestionToken]: "??",
    [kind.ObjectBindingPattern]: "destructuring",
    [kind.ArrayBindingPattern]: "destructuring",
    [kind.SpreadElement]: "spread",
    [kind.SpreadAssignment]: "spread",
    [kind.ForOfStatement]: "for-of",
    [kind.ClassDeclaration]: "class",
    [kind.ShorthandPropertyAssignment]: "shorthand property",
    [kind.MethodDeclaration]: "shorthand method",
    [kind.ComputedPropertyName]: "computed property",
    [kind.BigIntLiteral]: "bigint",
    [kind.TaggedTemplateExpression]: "tagged template",
    [kind.YieldExpression]: "generator",
  };
  if (ts.isCatchClause(node) && node.variableDeclaration === undefined) return "catch without a name";
  if (ts.isParameter(node) && node.initializer !== undefined) return "default parameter";
  if ((ts.isArrowFunction(node) || ts.isFunctionExpression(node)) && node.modifiers?.length) return "async closure";
  if (ts.isAwaitExpression(node) && ts.isCallExpression(node.parent)) return "await within arguments";
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && !METHODS.has(node.expression.name.text))
    return `method ${node.expression.name.text}`;
  return refused[node.kind];
};
/** Those that the router calls, each looked up in the documentation of the runtime. */
const METHODS = new Set(
  "kvs get updateRequestOrigin selectRequestOriginById createHash update digest test exec search replace slice split includes startsWith endsWith isInteger parse now keys forEach some every find concat".split(
    " ",
  ),
);
const newerParts = (source: string): string[] => {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const what = tooNew(node);
    if (what !== undefined) found.push(what);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("edge-router.js", source, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS));
  return found;
};

describe("The router", () => {
  test("has only what cloudfront-js-2.0 takes", () => {
    expect(newerParts(routerSource())).toEqual([]);
    expect(newerParts("const { a } = b?.c ?? d; for (const x of [...y]) z.at(await x); try {} catch {}").sort()).toEqual(
      ["?.", "??", "await within arguments", "catch without a name", "destructuring", "for-of", "method at", "spread"].sort(),
    );
  });

  test("has beside it what names the release on answers, in the same words", () => {
    expect(newerParts(answerSource())).toEqual([]);
    const handler = new Script(`${answerSource()}; handler`).runInNewContext() as (event: object) => { headers: object };
    const answer = (headers: object, own: object = {}) => handler({ request: { headers }, response: { statusCode: 200, headers: own } });
    const chosen = { "x-shiplog-deployment": { value: "dep_1" } };
    expect(answer(chosen, { etag: { value: "e" } })).toEqual({ statusCode: 200, headers: { etag: { value: "e" }, ...chosen } });
    expect(answer(chosen, { "x-shiplog-deployment": { value: "the app's" } }).headers).toEqual(chosen);
    expect(answer({}).headers).toEqual({});
  });

  test("keeps a bucket on answers that a visitor can use, and on no others", () => {
    const cookies = loadCookies(answerSource());
    const request = { method: "GET", uri: "/", querystring: {}, cookies: {} };
    const drawn = { ...request, headers: { "x-shiplog-bucket": { value: "41.12" } } };
    expect(cookies(drawn, 200)).toEqual(["__shiplog=41.12; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax"]);
    expect(cookies(drawn, 304)).toHaveLength(1);
    for (const status of [400, 404, 500, 503]) expect(cookies(drawn, status)).toEqual([]);
    expect(cookies({ ...request, headers: {} }, 200)).toEqual([]);
  });
});
