import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionUrlConfigCommand,
  GetAliasCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  type LambdaClient,
  PublishVersionCommand,
  RemovePermissionCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
  UpdateFunctionUrlConfigCommand,
  waitUntilFunctionActive,
  waitUntilFunctionUpdated,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AddressTaken, type AddressWanted, type ReleaseAddresses, releaseAddresses } from "../../engine/aws/addresses.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import { bundle, type Endpoint, ROLE, startEndpoint, temporaryFolder } from "../local/lambda-endpoint.ts";

const FunctionName = "web-server";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let endpoint: Endpoint;
let client: LambdaClient;
let addresses: ReleaseAddresses;
let wanted: AddressWanted;
let on: { FunctionName: string; Qualifier: string };
let calls: string[] = [];
let made = 0;

beforeAll(async () => {
  folder = await temporaryFolder();
  endpoint = await startEndpoint(folder.path);
  ({ client } = endpoint);
  addresses = releaseAddresses(client);
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      (args) => {
        calls.push(commandName.replace(/Command$/, ""));
        return next(args);
      },
    { step: "initialize" },
  );
  const Code = { ZipFile: await bundle("async () => 1") };
  const waiter = { client, maxWaitTime: 20, minDelay: 0.01, maxDelay: 0.05 };
  await client.send(
    new CreateFunctionCommand({ FunctionName, Role: ROLE, Runtime: "nodejs24.x", Handler: "index.handler", Code, Publish: true }),
  );
  await waitUntilFunctionActive(waiter, { FunctionName });
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Description: "another" }));
  await waitUntilFunctionUpdated(waiter, { FunctionName });
  await client.send(new PublishVersionCommand({ FunctionName }));
});
beforeEach(() => {
  made += 1;
  wanted = { name: FunctionName, alias: `r-${made}`, version: "1", description: `seq=${made}`, invokeMode: "RESPONSE_STREAM" };
  on = { FunctionName, Qualifier: wanted.alias };
  calls = [];
});
afterAll(async () => {
  await endpoint.close();
  await folder.remove();
});

const conditions = async (): Promise<unknown> => {
  const { Policy = "" } = await client.send(new GetPolicyCommand(on));
  return JSON.parse(Policy).Statement.map(({ Action, Principal, Condition }: Record<string, unknown>) => [Action, Principal, Condition]);
};

/** Everything that an address is. */
const expectWhole = async (url: string): Promise<void> => {
  const alias = await client.send(new GetAliasCommand({ FunctionName, Name: wanted.alias }));
  expect(alias).toMatchObject({ FunctionVersion: wanted.version, Description: wanted.description });
  expect(await client.send(new GetFunctionUrlConfigCommand(on))).toMatchObject({
    FunctionUrl: url,
    AuthType: "NONE",
    InvokeMode: wanted.invokeMode,
  });
  expect(await conditions()).toEqual([
    ["lambda:InvokeFunctionUrl", "*", { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } }],
    ["lambda:InvokeFunction", "*", { Bool: { "lambda:InvokedViaFunctionUrl": "true" } }],
  ]);
};
const alias = (more: object = {}) =>
  client.send(new CreateAliasCommand({ FunctionName, Name: wanted.alias, FunctionVersion: "1", Description: wanted.description, ...more }));
const permission = (StatementId: string, Action: string, more: object) =>
  client.send(new AddPermissionCommand({ ...on, StatementId, Action, Principal: "*", ...more }));
const urlPermission = () => permission("url", "lambda:InvokeFunctionUrl", { FunctionUrlAuthType: "NONE" });
const invokePermission = () => permission("invoke", "lambda:InvokeFunction", { InvokedViaFunctionUrl: true });

describe("a release's address", () => {
  it("is an alias with a URL of its own, which everybody may ask, made by five calls", async () => {
    const url = await addresses.make(wanted);
    expect(calls).toEqual(["GetAlias", "CreateAlias", "AddPermission", "AddPermission", "CreateFunctionUrlConfig"]);
    await expectWhole(url);
    expect(await addresses.find(wanted)).toEqual({ version: "1", url });
  });

  it("that is whole costs two reads", async () => {
    const url = await addresses.make(wanted);
    calls = [];
    expect(await addresses.make(wanted)).toBe(url);
    expect(calls).toEqual(["GetAlias", "GetFunctionUrlConfig"]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["its alias", () => alias()],
    [
      "its first permission",
      async () => {
        await alias();
        await urlPermission();
      },
    ],
    [
      "both permissions",
      async () => {
        await alias();
        await urlPermission();
        await invokePermission();
      },
    ],
  ])("that was made as far as %s is made to its end", async (_, half) => {
    await half();
    expect(await addresses.find(wanted)).toEqual({ version: "1", url: undefined });
    await expectWhole(await addresses.make(wanted));
  });

  it("that was removed half is made whole again", async () => {
    const first = await addresses.make(wanted);
    await client.send(new DeleteFunctionUrlConfigCommand(on));
    const second = await addresses.make(wanted);
    expect(second).not.toBe(first);
    await expectWhole(second);
  });

  it("that somebody closed, or switched to whole answers, is corrected, and has its permissions again", async () => {
    const url = await addresses.make(wanted);
    await client.send(new UpdateFunctionUrlConfigCommand({ ...on, InvokeMode: "BUFFERED" }));
    expect(await addresses.make(wanted)).toBe(url);
    await expectWhole(url);
    await client.send(new RemovePermissionCommand({ ...on, StatementId: "invoke" }));
    await client.send(new UpdateFunctionUrlConfigCommand({ ...on, AuthType: "AWS_IAM" }));
    expect(await addresses.make(wanted)).toBe(url);
    await expectWhole(url);
  });

  it("whose description differs gets the right one, and keeps its version", async () => {
    await alias({ Description: "by hand" });
    await expectWhole(await addresses.make(wanted));
  });

  it("made by several at once is one", async () => {
    const urls = await Promise.all(Array.from({ length: 8 }, () => addresses.make(wanted)));
    expect(new Set(urls).size).toBe(1);
    await expectWhole(urls[0] ?? "");
  });

  it("never moves: an alias at another version is refused, and stays", async () => {
    await alias({ FunctionVersion: "2" });
    const refused = addresses.make(wanted);
    await expect(refused).rejects.toBeInstanceOf(AddressTaken);
    await expect(refused).rejects.toThrow(`The alias ${wanted.alias} of web-server leads to version 2, not to 1 alone`);
    expect(await addresses.find(wanted)).toEqual({ version: "2", url: undefined });
  });

  it("is taken, too, where some of its visitors are sent to another version", async () => {
    await addresses.make(wanted);
    const RoutingConfig = { AdditionalVersionWeights: { "2": 0.1 } };
    await client.send(new UpdateAliasCommand({ FunctionName, Name: wanted.alias, RoutingConfig }));
    await expect(addresses.make(wanted)).rejects.toThrow(/version 1 and 2, not to 1 alone/);
  });

  it("of a version or a function that is not there cannot be made", async () => {
    const problem = (asked: Promise<unknown>) => asked.then(() => undefined, problemOf);
    expect(await problem(addresses.make({ ...wanted, version: "99" }))).toBe("missing");
    expect(calls).toEqual(["GetAlias", "CreateAlias"]);
    expect(await problem(addresses.make({ ...wanted, name: "nobody" }))).toBe("missing");
    expect(await addresses.find(wanted)).toBeUndefined();
  });

  it("that Lambda has no time for is tried again by who asked", async () => {
    endpoint.lambda.throttle("CreateAlias", 1);
    await expect(addresses.make(wanted)).rejects.toMatchObject({ name: "TooManyRequestsException" });
    await alias();
    endpoint.lambda.throttle("AddPermission", 1);
    await expect(addresses.make(wanted)).rejects.toMatchObject({ name: "TooManyRequestsException" });
    endpoint.lambda.throttle("CreateFunctionUrlConfig", 1);
    await expect(addresses.make(wanted)).rejects.toMatchObject({ name: "TooManyRequestsException" });
    await expectWhole(await addresses.make(wanted));
  });

  it("gets no URL while one of its permissions is refused, though the other is there", async () => {
    await alias();
    await urlPermission();
    endpoint.lambda.throttle("AddPermission", 2);
    await expect(addresses.make(wanted)).rejects.toMatchObject({ name: "TooManyRequestsException" });
    expect(await addresses.find(wanted)).toEqual({ version: "1", url: undefined });
  });

  it("is removed with everything of it, as often as one likes, and can be made again", async () => {
    const first = await addresses.make(wanted);
    calls = [];
    await addresses.remove(wanted);
    expect(calls).toEqual(["DeleteFunctionUrlConfig", "DeleteAlias"]);
    await addresses.remove(wanted);
    expect(await addresses.find(wanted)).toBeUndefined();
    const again = await addresses.make(wanted);
    expect(again).not.toBe(first);
    await expectWhole(again);
  });

  it("is removed where only a part of it is there, and of a function that is gone", async () => {
    await alias();
    await addresses.remove(wanted);
    expect(await addresses.find(wanted)).toBeUndefined();
    await addresses.remove({ ...wanted, name: "nobody" });
  });

  it("leaves every other as it is", async () => {
    const other = { ...wanted, alias: `${wanted.alias}-other`, version: "2" };
    const url = await addresses.make(other);
    await addresses.make(wanted);
    await addresses.remove(wanted);
    expect(await addresses.find(other)).toEqual({ version: "2", url });
  });

  it("is found with the URL that it has, and without one that nobody made", async () => {
    await alias();
    await client.send(new CreateFunctionUrlConfigCommand({ ...on, AuthType: "NONE" }));
    expect(await addresses.find(wanted)).toEqual({
      version: "1",
      url: expect.stringMatching(/^http:\/\/[a-z0-9]+\.lambda-url\.localhost:\d+\/$/),
    });
  });
});
