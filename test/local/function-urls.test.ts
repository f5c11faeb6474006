import { CreateFunctionCommand, CreateFunctionUrlConfigCommand, waitUntilFunctionActive } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalAws, startAws } from "../../local/aws.ts";
import { addressByNumber } from "../../local/function-address.ts";
import { bundle, ROLE, temporaryFolder } from "./lambda-endpoint.ts";

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

/** The function URL of a new function with this handler. */
const urlOf = async (FunctionName: string, handler: string): Promise<string> => {
  const { lambda } = aws.clients;
  const Code = { ZipFile: await bundle(handler) };
  await lambda.send(new CreateFunctionCommand({ FunctionName, Role: ROLE, Runtime: "nodejs22.x", Handler: "index.handler", Code }));
  await waitUntilFunctionActive({ client: lambda, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName });
  const { FunctionUrl = "" } = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE" }));
  return addressByNumber(FunctionUrl);
};

it("each of an answer's cookies is a header of its own", async () => {
  const cookies = ["session=1; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "theme=dark", "lang=de; HttpOnly"];
  const url = await urlOf(
    "cookies",
    `async () => (${JSON.stringify({ statusCode: 200, headers: { "x-one": "1" }, cookies, body: "ok" })})`,
  );
  const { status, headers } = await fetch(url);
  expect([status, headers.get("x-one"), headers.getSetCookie()]).toEqual([200, "1", cookies]);
});

it("the cookies of a streamed answer, too", async () => {
  const url = await urlOf(
    "streamed-cookies",
    `awslambda.streamifyResponse(async (event, stream) => {
      const body = awslambda.HttpResponseStream.from(stream, { statusCode: 200, cookies: ["a=1", "b=2"] });
      body.end("ok");
    })`,
  );
  expect((await fetch(url)).headers.getSetCookie()).toEqual(["a=1", "b=2"]);
});

it("an answer without cookies has none", async () => {
  const url = await urlOf("no-cookies", `async () => ({ statusCode: 204 })`);
  expect((await fetch(url)).headers.getSetCookie()).toEqual([]);
});
