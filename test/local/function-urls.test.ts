import { get } from "node:http";
import { text } from "node:stream/consumers";
import { CreateFunctionCommand, CreateFunctionUrlConfigCommand, waitUntilFunctionActive } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
const addressOf = async (FunctionName: string, handler: string): Promise<string> => {
  const { lambda } = aws.clients;
  const Code = { ZipFile: await bundle(handler) };
  await lambda.send(new CreateFunctionCommand({ FunctionName, Role: ROLE, Runtime: "nodejs22.x", Handler: "index.handler", Code }));
  await waitUntilFunctionActive({ client: lambda, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName });
  const { FunctionUrl = "" } = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE" }));
  return FunctionUrl;
};
const urlOf = async (FunctionName: string, handler: string): Promise<string> => addressByNumber(await addressOf(FunctionName, handler));

type Asked = { host: string; path?: string; headers?: Record<string, string> };

/** Asks this machine under a host that no resolver needs to know. */
const askedAs = ({ host, path = "/", headers = {} }: Asked): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: aws.endpoint.port, path, headers: { ...headers, host } };
    get(options, async (answer) => resolve({ status: answer.statusCode ?? 0, body: await text(answer) })).on("error", reject);
  });

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

describe("the host of a function URL", () => {
  const SEEN = "async ({ rawPath, rawQueryString, headers }) => JSON.stringify([rawPath, rawQueryString, headers.host])";
  let host: string;
  beforeAll(async () => {
    host = new URL(await addressOf("by-host", SEEN)).host;
  });

  it("begins with its id, and is this machine's", () => {
    expect(host).toMatch(new RegExp(`^[a-z0-9]{32}\\.lambda-url\\.localhost:${aws.endpoint.port}$`));
  });

  it("names the function: the path is all its own", async () => {
    expect(await askedAs({ host, path: "/a%20b/.lambda-url/other/?q=1&q=2" })).toEqual({
      status: 200,
      body: JSON.stringify(["/a%20b/.lambda-url/other/", "q=1&q=2", host]),
    });
    expect(await askedAs({ host: host.toUpperCase(), path: "/" })).toMatchObject({ status: 200 });
  });

  it("gives what its path form gives", async () => {
    const answer = await fetch(addressByNumber(`http://${host}/x?q=1`));
    expect([answer.status, JSON.parse(await answer.text())]).toEqual([200, ["/x", "q=1", `127.0.0.1:${aws.endpoint.port}`]]);
  });

  it("leads to no other service of this machine", async () => {
    const body = expect.stringContaining("/2015-03-31/functions");
    expect(await askedAs({ host, path: "/2015-03-31/functions" })).toEqual({ status: 200, body });
  });

  it("of a function that there is none of is not found", async () => {
    expect(await askedAs({ host: host.replace(/^.{8}/, "00000000") })).toMatchObject({ status: 404 });
    expect(await askedAs({ host: `www.${host}` })).toMatchObject({ status: 403 });
  });

  it.each([
    (id: string) => `${id}.lambda-url.eu-west-1.on.aws`,
    (id: string) => `${id}.lambda-url.localhost.attacker.example`,
    (id: string) => `${id}.lambda-url.attacker.example`,
    (id: string) => `attacker.example/${id}.lambda-url.localhost`,
  ])("is no other machine's (%s)", async (foreign) => {
    const [id = ""] = host.split(".");
    expect(await askedAs({ host: foreign(id) })).toMatchObject({ status: 403, body: expect.stringContaining("AccessDenied") });
    expect(await askedAs({ host: foreign(id), path: `/.lambda-url/${id}/` })).toMatchObject({ status: 403 });
  });
});
