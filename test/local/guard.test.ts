import { CreateFunctionCommand, CreateFunctionUrlConfigCommand, type InvokeMode, waitUntilFunctionActive } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

/** The address of a guarded function that knows these keys. */
const guarded = async (FunctionName: string, InvokeMode: InvokeMode, keys: string): Promise<string> => {
  const { lambda } = aws.clients;
  const { handler, path, text } = guardOf("index.main");
  const Code = { ZipFile: await zip({ "index.mjs": BUNDLES[InvokeMode], [path]: text }) };
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
