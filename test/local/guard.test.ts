import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CreateFunctionCommand, CreateFunctionUrlConfigCommand, type InvokeMode, waitUntilFunctionActive } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ORIGIN_HEADER } from "../../blueprint/site-resources.ts";
import { guardOf, ORIGIN_KEYS } from "../../engine/open-next/guard.ts";
import { type LocalAws, startAws } from "../../local/aws.ts";
import { addressByNumber } from "../../local/function-address.ts";
import { ROLE, temporaryFolder, zip } from "./lambda-endpoint.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let aws: LocalAws;
beforeAll(async () => {
  folder = await temporaryFolder();
  aws = await startAws({ dataDir: folder.path, log: () => {} });
});
afterAll(async () => {
  await aws.close();
  await folder.remove();
});

const SEEN = `JSON.stringify({ header: event.headers[${JSON.stringify(ORIGIN_HEADER)}], keys: process.env.${ORIGIN_KEYS} })`;
const BUNDLES: Record<InvokeMode, string> = {
  BUFFERED: `const atStart = process.env.${ORIGIN_KEYS}; export const main = async (event) => ({ statusCode: 200, body: ${SEEN} + atStart });`,
  RESPONSE_STREAM: `const atStart = process.env.${ORIGIN_KEYS};
    export const main = awslambda.streamifyResponse(async (event, stream) => {
      const out = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { "x-first": "1" } });
      out.write(${SEEN});
      out.end(String(atStart));
    });`,
};

/** Answers with the event's body, which is status, headers and cookies: whole, streamed by AWS's own means, or as OpenNext does it. */
const SAYING: Record<string, readonly [InvokeMode, string]> = {
  whole: ["BUFFERED", `export const main = async ({ body }) => ({ ...JSON.parse(body), body: "said" });`],
  "streamed from": [
    "RESPONSE_STREAM",
    `export const main = awslambda.streamifyResponse(async ({ body }, stream) => {
      const out = awslambda.HttpResponseStream.from(stream, JSON.parse(body));
      out.write('{"cookies":["no=head"]} ');
      out.end("said");
    });`,
  ],
  "streamed as OpenNext does": [
    "RESPONSE_STREAM",
    `export const main = awslambda.streamifyResponse(async ({ body }, stream) => {
      stream.setContentType("application/vnd.awslambda.http-integration-response");
      stream.write(JSON.stringify(JSON.parse(body)));
      stream.write(new Uint8Array(8));
      stream.write('{"cookies":["no=head"]} ');
      stream.end("said");
    });`,
  ],
};

/** The address of a guarded function that knows these keys. */
const guarded = async (FunctionName: string, InvokeMode: InvokeMode, keys: string, bundle = BUNDLES[InvokeMode]): Promise<string> => {
  const { lambda } = aws.clients;
  const { handler, path, text } = guardOf("index.main");
  const Code = { ZipFile: await zip({ "index.mjs": bundle, [path]: text }) };
  const Environment = { Variables: { [ORIGIN_KEYS]: keys } };
  await lambda.send(new CreateFunctionCommand({ FunctionName, Role: ROLE, Runtime: "nodejs22.x", Handler: handler, Code, Environment }));
  await waitUntilFunctionActive({ client: lambda, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName });
  const { FunctionUrl = "" } = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE", InvokeMode }));
  return addressByNumber(FunctionUrl);
};

describe.each(["BUFFERED", "RESPONSE_STREAM"] as const)("a guarded function (%s)", (mode) => {
  let url: string;
  beforeAll(async () => {
    url = await guarded(`guarded-${mode}`, mode, "new-key,old-key");
  });
  const ask = async (said?: string) => {
    const answer = await fetch(url, {
      headers: { "x-forwarded-host": "evil.example", ...(said !== undefined && { [ORIGIN_HEADER]: said }) },
    });
    return {
      status: answer.status,
      mark: answer.headers.get(ORIGIN_HEADER),
      kept: answer.headers.get("cache-control"),
      body: await answer.text(),
    };
  };

  it.each([
    ["says nothing", undefined],
    ["says nothing in the header", ""],
    ["says commas", ","],
    ["says another key", "a-guess"],
    ["says a part of a key", "new"],
    ["says all keys as one word", "new-keyold-key"],
  ])("refuses who %s", async (_, said) => {
    const { status, mark, kept, body } = await ask(said);
    expect([status, mark, kept, body]).toEqual([
      403,
      "refused",
      "no-store",
      "This address is the edge's alone. Ask for the site by its own name.\n",
    ]);
  });

  it.each(["new-key", "old-key", "newer-key,new-key", "newer-key, old-key"])(
    "admits who says %s, and tells the app neither key nor header",
    async (said) => {
      const { status, mark, body } = await ask(said);
      expect([status, mark, body]).toEqual([200, null, "{}undefined"]);
    },
  );
});

it("a guarded function that was given no key admits nobody", async () => {
  const url = await guarded("guarded-by-nothing", "BUFFERED", "");
  expect((await fetch(url, { headers: { [ORIGIN_HEADER]: "" } })).status).toBe(403);
});

describe.each(Object.entries(SAYING))("what a guarded function answers (%s)", (how, [mode, bundle]) => {
  let url: string;
  beforeAll(async () => {
    url = await guarded(`saying-${how.replaceAll(" ", "-")}`, mode, "key", bundle);
  });
  const kept = async (answer: object): Promise<(string | null)[]> => {
    const { headers, body, status } = await fetch(url, {
      method: "POST",
      headers: { [ORIGIN_HEADER]: "key" },
      body: JSON.stringify(answer),
    });
    expect(status).toBe(200);
    expect(await new Response(body).text()).toBe(mode === "BUFFERED" ? "said" : '{"cookies":["no=head"]} said');
    return [headers.get("cache-control"), headers.get("set-cookie"), headers.get("x-more")];
  };

  it.each([["s-maxage=60, stale-while-revalidate=60"], ["public, max-age=60"], ["no-cache"], ['private="x-more", s-maxage=60']])(
    "is kept by nobody where it sets a cookie, whatever it says: %s",
    async (said) => {
      const answer = { statusCode: 200, headers: { "Cache-Control": said, "x-more": "1" }, cookies: ["a=1"] };
      expect(await kept(answer)).toEqual(["private, no-store", "a=1", "1"]);
    },
  );
  it("is kept by nobody where it sets a cookie and says nothing, or sets it in a header", async () => {
    expect(await kept({ statusCode: 200, headers: {}, cookies: ["a=1"] })).toEqual(["private, no-store", "a=1", null]);
    const inHeader = { statusCode: 200, headers: { "set-cookie": "a=1", "cache-control": "s-maxage=60" } };
    expect((await kept(inHeader))[0]).toBe("private, no-store");
  });
  it.each(["private, no-cache, no-store, max-age=0, must-revalidate", "private", "max-age=0, private", "no-store"])(
    "is as the app says where it is nobody else's already: %s",
    async (said) => {
      expect(await kept({ statusCode: 200, headers: { "cache-control": said }, cookies: ["a=1"] })).toEqual([said, "a=1", null]);
    },
  );
  it.each([[[]], [undefined]])("is as the app says where it sets no cookie: %s", async (cookies) => {
    expect(await kept({ statusCode: 200, headers: { "cache-control": "s-maxage=60" }, cookies })).toEqual(["s-maxage=60", null, null]);
  });
});

/** AWS's own runtime writes the head below the stream, with the first of the body: no `write` of the stream's has it. */
it("keeps its hands off the body of a stream where the runtime writes the head by itself", async () => {
  const { path, text } = guardOf("index.main");
  const from = (stream: { head: unknown }, head: unknown) => Object.assign(stream, { head });
  vi.stubGlobal("awslambda", { streamifyResponse: (handler: unknown) => handler, HttpResponseStream: { from } });
  vi.stubEnv(ORIGIN_KEYS, "key");
  const code = `export const main = Object.assign(async (event, stream) => {
    awslambda.HttpResponseStream.from(stream, event.head).write(event.body);
  }, { [Symbol.for("aws.lambda.runtime.handler.streaming")]: "response" });`;
  await Promise.all([writeFile(join(folder.path, "index.mjs"), code), writeFile(join(folder.path, path), text)]);
  const { handler } = (await import(pathToFileURL(join(folder.path, path)).href)) as {
    handler(event: object, stream: object): Promise<void>;
  };
  const written: string[] = [];
  const stream = { head: undefined, write: (chunk: string) => written.push(chunk) };
  const body = '{"headers":{"cache-control":"s-maxage=60"},"cookies":["of=the-body"]}';
  const head = { statusCode: 200, headers: { "cache-control": "s-maxage=60" }, cookies: ["a=1"] };
  await handler({ headers: { [ORIGIN_HEADER]: "key" }, head, body }, stream);
  expect(written).toEqual([body]);
  expect(stream.head).toEqual({ ...head, headers: { "cache-control": "private, no-store" } });
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});
