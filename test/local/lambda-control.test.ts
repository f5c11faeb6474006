import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionUrlConfigCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  InvokeCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  paginateListVersionsByFunction,
  RemovePermissionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActive,
  waitUntilFunctionUpdated,
  waitUntilPublishedVersionActive,
} from "@aws-sdk/client-lambda";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundle, type Endpoint, link, ROLE, startEndpoint, temporaryFolder, until, zip } from "./lambda-endpoint.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let endpoint: Endpoint;
let client: LambdaClient;

const start = async (options?: Parameters<typeof startEndpoint>[1]) => {
  endpoint = await startEndpoint(folder.path, options);
  client = endpoint.client;
};

beforeEach(async () => {
  folder = await temporaryFolder();
  await start();
});
afterEach(async () => {
  await endpoint.close();
  await folder.remove();
});

const waiter = () => ({ client, minDelay: 0.01, maxDelay: 0.05, maxWaitTime: 10 });
const updated = (FunctionName: string) => waitUntilFunctionUpdated(waiter(), { FunctionName });
const configuration = (FunctionName: string, Qualifier?: string) =>
  client.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }));

const create = async (FunctionName: string, handler = "async () => 1", more: object = {}) => {
  const ZipFile = await bundle(handler);
  const input = { FunctionName, Role: ROLE, Runtime: "nodejs24.x" as const, Handler: "index.handler", Code: { ZipFile }, ...more };
  const created = await client.send(new CreateFunctionCommand(input));
  await waitUntilFunctionActive(waiter(), { FunctionName });
  return created;
};
const release = async (FunctionName: string, handler: string) => {
  const { Version = "" } = await client.send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await bundle(handler), Publish: true }),
  );
  await updated(FunctionName);
  await waitUntilPublishedVersionActive(waiter(), { FunctionName, Qualifier: Version });
  return Version;
};

describe("a new function", () => {
  it("is Pending, then Active, with the hash of its zip and a RevisionId that changes in between", async () => {
    const ZipFile = await bundle("async () => 1");
    const created = await create("web");
    expect(created).toMatchObject({
      FunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:web",
      State: "Pending",
      Version: "$LATEST",
      CodeSize: ZipFile.length,
      Timeout: 3,
      MemorySize: 128,
      Architectures: ["x86_64"],
    });
    const now = await configuration("web");
    expect(now).toMatchObject({ State: "Active", LastUpdateStatus: "Successful" });
    expect(now.RevisionId).not.toBe(created.RevisionId);
  });

  it("has a CodeSha256 that is the base64 SHA-256 of exactly the bytes sent", async () => {
    const ZipFile = await bundle("async () => 'bytes'");
    await create("web", "", { Code: { ZipFile } });
    expect((await configuration("web")).CodeSha256).toBe(createHash("sha256").update(ZipFile).digest("base64"));
  });

  it("keeps its code in one place, and nothing of it in its record or an answer", async () => {
    const ZipFile = await bundle("async () => 'kept once'");
    const created = await create("web", "", { Code: { ZipFile } });
    expect(created).not.toHaveProperty("Code");
    const files = (await readdir(folder.path, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
    const texts = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")));
    expect(texts.filter((text) => text.includes("web"))).not.toEqual([]);
    expect(texts.filter((text) => text.includes(Buffer.from(ZipFile).toString("base64")))).toEqual([]);
  });

  it("comes from S3 when a bucket and key are given, and says which object could not be read", async () => {
    const ZipFile = await bundle("async () => 'from s3'");
    await endpoint.close();
    await start({
      readObject: async (bucket, key) => (`${bucket}/${key}` === "artifacts/a.zip" ? ZipFile : Promise.reject(new Error("gone"))),
    });
    await create("web", "", { Code: { S3Bucket: "artifacts", S3Key: "a.zip" } });
    expect((await configuration("web")).CodeSize).toBe(ZipFile.length);
    await expect(create("other", "", { Code: { S3Bucket: "artifacts", S3Key: "b.zip" } })).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: expect.stringContaining("s3://artifacts/b.zip"),
    });
  });

  it("is refused with 409 when the name is taken", async () => {
    await create("web");
    await expect(create("web")).rejects.toMatchObject({ name: "ResourceConflictException", $metadata: { httpStatusCode: 409 } });
  });

  it("can be published as version 1 at once", async () => {
    expect(await create("web", "async () => 1", { Publish: true })).toMatchObject({
      Version: "1",
      FunctionArn: expect.stringMatching(/:web:1$/),
    });
  });

  it("cannot be invoked while it is Pending", async () => {
    await endpoint.close();
    await start({ settleMs: 60_000 });
    const input = { FunctionName: "web", Role: ROLE, Runtime: "nodejs24.x" as const, Handler: "index.handler" };
    await client.send(new CreateFunctionCommand({ ...input, Code: { ZipFile: await bundle("async () => 1") } }));
    await expect(client.send(new InvokeCommand({ FunctionName: "web" }))).rejects.toMatchObject({ name: "ResourceConflictException" });
    await expect(client.send(new PublishVersionCommand({ FunctionName: "web" }))).rejects.toMatchObject({
      name: "ResourceConflictException",
    });
  });

  it("is found by name, partial ARN and ARN, and not found with 404", async () => {
    await create("web", "async () => 1", { Publish: true });
    for (const name of ["web", "function:web", "000000000000:function:web", "arn:aws:lambda:eu-west-1:000000000000:function:web"]) {
      expect((await configuration(name)).FunctionName).toBe("web");
    }
    expect((await configuration("web:1")).Version).toBe("1");
    expect((await configuration("arn:aws:lambda:eu-west-1:000000000000:function:web:1")).Version).toBe("1");
    await expect(configuration("web:1", "2")).rejects.toMatchObject({ name: "InvalidParameterValueException" });
    await expect(configuration("nobody")).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:nobody",
    });
    await expect(configuration("web", "9")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    const { Functions } = await client.send(new ListFunctionsCommand({}));
    expect(Functions?.map(({ FunctionName }) => FunctionName)).toEqual(["web"]);
  });
});

describe("what Lambda cannot take", () => {
  it.each([
    ["a file that is not a zip", async () => ({ Code: { ZipFile: Buffer.from("no zip") } }), /^Could not unzip uploaded file/],
    ["a zip without a file", async () => ({ Code: { ZipFile: await zip({}) } }), /^Uploaded file must be a non-empty zip/],
    ["a zip that was cut off", async () => ({ Code: { ZipFile: (await bundle("1")).subarray(0, 60) } }), /^Could not unzip uploaded file/],
    ["a zip with a damaged file", async () => ({ Code: { ZipFile: await damagedZip() } }), /^Could not unzip uploaded file/],
    ["more than 250 MB unzipped", async () => ({ Code: { ZipFile: await hugeZip() } }), /^Unzipped size must be smaller/],
    [
      "a file outside the bundle",
      async () => ({ Code: { ZipFile: await renamedInZip("up/../../evil", "upxx/xx/xevil") } }),
      /^Could not unzip/,
    ],
    [
      "a link out of the bundle",
      async () => ({ Code: { ZipFile: await zip({ "a/out": link("../../x") }) } }),
      /symbolic link a\/out leads out/,
    ],
    ["an absolute link", async () => ({ Code: { ZipFile: await zip({ out: link("/etc/passwd") }) } }), /symbolic link out leads out/],
    [
      "a link that leads out through another",
      async () => ({ Code: { ZipFile: await zip({ "d/up": link(".."), "d/f": "", x: link("d/up/..") }) } }),
      /leads out/,
    ],
    ["an environment over 4 KB", async () => ({ Environment: { Variables: { BIG: "x".repeat(4096) } } }), /exceeded the 4KB limit/],
    [
      "a reserved variable",
      async () => ({ Environment: { Variables: { AWS_REGION: "x" } } }),
      /Reserved keys used in this request: AWS_REGION/,
    ],
    ["another language", async () => ({ Runtime: "python3.13" }), /runs Node.js only/],
  ])("is %s", async (_, input, message) => {
    await expect(create("web", "async () => 1", await input())).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: expect.stringMatching(message),
      $metadata: { httpStatusCode: 400 },
    });
    expect(await readdir(join(folder.path, "lambda", "functions"))).toEqual([]);
    expect(await readdir(join(folder.path, "lambda", "code"))).toEqual([]);
  });

  it("is a timeout of 0 seconds", async () => {
    await expect(create("web", "async () => 1", { Timeout: 0 })).rejects.toMatchObject({ name: "ValidationException" });
  });
});

describe("an update", () => {
  it("is InProgress, runs the old code until it is Successful, and changes the RevisionId twice", async () => {
    await endpoint.close();
    await start({ settleMs: 500 });
    await create("web", "async () => 'old'");
    const before = await configuration("web");
    const asked = await client.send(new UpdateFunctionCodeCommand({ FunctionName: "web", ZipFile: await bundle("async () => 'new'") }));
    expect(asked).toMatchObject({ LastUpdateStatus: "InProgress", State: "Active" });
    expect(String((await endpoint.lambda.invoke("web", "$LATEST", "{}")).payload)).toBe('"old"');
    await updated("web");
    const after = await configuration("web");
    expect(String((await endpoint.lambda.invoke("web", "$LATEST", "{}")).payload)).toBe('"new"');
    expect(new Set([before.RevisionId, asked.RevisionId, after.RevisionId]).size).toBe(3);
  });

  it("refuses other updates and PublishVersion with 409 while it is in progress", async () => {
    await endpoint.close();
    await start({ settleMs: 300 });
    await create("web");
    const ZipFile = await bundle("async () => 2");
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "web", Description: "a" }));
    const busy = { name: "ResourceConflictException", message: expect.stringContaining("An update is in progress for resource: arn:") };
    await expect(client.send(new UpdateFunctionCodeCommand({ FunctionName: "web", ZipFile }))).rejects.toMatchObject(busy);
    await expect(client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "web" }))).rejects.toMatchObject(busy);
    await expect(client.send(new PublishVersionCommand({ FunctionName: "web" }))).rejects.toMatchObject(busy);
    await updated("web");
    expect((await client.send(new PublishVersionCommand({ FunctionName: "web" }))).Version).toBe("1");
  });

  it("is refused with 412 when the RevisionId is one that the earlier update's answer gave", async () => {
    await create("web");
    const { RevisionId } = await client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "web", Timeout: 9 }));
    await updated("web");
    const stale = { name: "PreconditionFailedException", $metadata: { httpStatusCode: 412 } };
    const ZipFile = await bundle("async () => 2");
    await expect(client.send(new UpdateFunctionCodeCommand({ FunctionName: "web", ZipFile, RevisionId }))).rejects.toMatchObject(stale);
    await expect(client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "web", RevisionId }))).rejects.toMatchObject(stale);
    await expect(client.send(new PublishVersionCommand({ FunctionName: "web", RevisionId }))).rejects.toMatchObject(stale);
    const current = (await configuration("web")).RevisionId;
    await client.send(new UpdateFunctionCodeCommand({ FunctionName: "web", ZipFile, RevisionId: current }));
  });

  it("changes the settings that it names and keeps the others", async () => {
    await create("web", "async () => 1", { Timeout: 7, Environment: { Variables: { STAGE: "one" } } });
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "web", MemorySize: 1024 }));
    await updated("web");
    expect(await configuration("web")).toMatchObject({ Timeout: 7, MemorySize: 1024, Environment: { Variables: { STAGE: "one" } } });
  });
});

describe("publishing", () => {
  it("with the code update makes a version that becomes Active", async () => {
    await create("web");
    const asked = await client.send(
      new UpdateFunctionCodeCommand({
        FunctionName: "web",
        ZipFile: await bundle("async () => 2"),
        Publish: true,
        Architectures: ["arm64"],
      }),
    );
    expect(asked).toMatchObject({ Version: "1", State: "Pending", FunctionArn: expect.stringMatching(/:web:1$/) });
    await waitUntilPublishedVersionActive(waiter(), { FunctionName: "web", Qualifier: "1" });
    expect(await configuration("web", "1")).toMatchObject({ Version: "1", State: "Active", Architectures: ["arm64"] });
  });

  it("gives the existing version when nothing changed since, and a new one when code or configuration did", async () => {
    await create("web");
    const publish = async () => (await client.send(new PublishVersionCommand({ FunctionName: "web", Description: "d" }))).Version;
    expect([await publish(), await publish()]).toEqual(["1", "1"]);
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "web", Environment: { Variables: { STAGE: "two" } } }));
    await updated("web");
    expect([await publish(), await publish()]).toEqual(["2", "2"]);
    expect(await release("web", "async () => 3")).toBe("3");
    expect(await release("web", "async () => 3")).toBe("3");
  });

  it("refuses a CodeSha256 that is not the current one", async () => {
    const { CodeSha256 } = await create("web");
    await expect(client.send(new PublishVersionCommand({ FunctionName: "web", CodeSha256: "other" }))).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      $metadata: { httpStatusCode: 400 },
    });
    expect((await client.send(new PublishVersionCommand({ FunctionName: "web", CodeSha256 }))).Version).toBe("1");
  });

  it("never uses a number twice, not even for a function deleted and created again", async () => {
    await create("web");
    await release("web", "async () => 1");
    await release("web", "async () => 2");
    await client.send(new DeleteFunctionCommand({ FunctionName: "web", Qualifier: "2" }));
    expect(await release("web", "async () => 3")).toBe("3");
    await client.send(new DeleteFunctionCommand({ FunctionName: "web" }));
    expect(await create("web", "async () => 4", { Publish: true })).toMatchObject({ Version: "4" });
  });

  it("lists the versions in pages, $LATEST first and then by number", async () => {
    await create("web");
    for (let n = 1; n <= 11; n += 1) await release("web", `async () => ${n}`);
    const { Versions, NextMarker } = await client.send(new ListVersionsByFunctionCommand({ FunctionName: "web", MaxItems: 3 }));
    expect([Versions?.map(({ Version }) => Version), typeof NextMarker]).toEqual([["$LATEST", "1", "2"], "string"]);
    const all: (string | undefined)[] = [];
    for await (const page of paginateListVersionsByFunction({ client, pageSize: 5 }, { FunctionName: "web" })) {
      all.push(...(page.Versions ?? []).map(({ Version }) => Version));
    }
    expect(all).toEqual(["$LATEST", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
  });
});

describe("an alias", () => {
  const alias = (Name = "live") => ({ FunctionName: "web", Name });
  beforeEach(async () => {
    await create("web");
    await release("web", "async () => 'one'");
    await release("web", "async () => 'two'");
  });

  it("is created, read, moved with its description in one piece, and counted when it really moves", async () => {
    const created = await client.send(new CreateAliasCommand({ ...alias(), FunctionVersion: "1", Description: "seq=1 dep=a" }));
    expect(created).toMatchObject({ AliasArn: "arn:aws:lambda:eu-west-1:000000000000:function:web:live", FunctionVersion: "1" });
    const moved = await client.send(
      new UpdateAliasCommand({
        ...alias(),
        FunctionVersion: "2",
        Description: "seq=2 dep=b",
        RoutingConfig: {},
        RevisionId: created.RevisionId,
      }),
    );
    expect(await client.send(new GetAliasCommand(alias()))).toMatchObject({
      FunctionVersion: "2",
      Description: "seq=2 dep=b",
      RevisionId: moved.RevisionId,
    });
    expect(endpoint.lambda.alias("web", "live")).toEqual({
      functionVersion: "2",
      description: "seq=2 dep=b",
      revisionId: moved.RevisionId,
    });
    await client.send(new UpdateAliasCommand({ ...alias(), Description: "same place" }));
    expect(endpoint.lambda.counters()).toEqual({ changingAliasUpdates: 1 });
    expect(endpoint.lambda.alias("web", "other")).toBeUndefined();
    expect((await configuration("web", "live")).Version).toBe("2");
  });

  it("is refused with 412 when another change came first", async () => {
    const { RevisionId } = await client.send(new CreateAliasCommand({ ...alias(), FunctionVersion: "1" }));
    await client.send(new UpdateAliasCommand({ ...alias(), FunctionVersion: "2", RevisionId }));
    await expect(client.send(new UpdateAliasCommand({ ...alias(), FunctionVersion: "1", RevisionId }))).rejects.toMatchObject({
      name: "PreconditionFailedException",
    });
    expect(endpoint.lambda.alias("web", "live")?.functionVersion).toBe("2");
  });

  it("lets exactly one of many racers with the same RevisionId win", async () => {
    const { RevisionId } = await client.send(new CreateAliasCommand({ ...alias(), FunctionVersion: "1" }));
    const races = Array.from({ length: 12 }, (_, n) =>
      client.send(new UpdateAliasCommand({ ...alias(), FunctionVersion: "2", Description: `racer ${n}`, RevisionId })),
    );
    const outcomes = await Promise.allSettled(races);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("is refused when it exists, names no version, or has a name that is none", async () => {
    await client.send(new CreateAliasCommand({ ...alias(), FunctionVersion: "1" }));
    const attempt = (input: object) => client.send(new CreateAliasCommand({ ...alias("next"), FunctionVersion: "1", ...input }));
    await expect(attempt({ Name: "live" })).rejects.toMatchObject({
      name: "ResourceConflictException",
      $metadata: { httpStatusCode: 409 },
    });
    await expect(attempt({ FunctionVersion: "9" })).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(attempt({ FunctionName: "nobody" })).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    for (const bad of [{ Name: "12" }, { Name: "a b" }, { Description: "x".repeat(257) }]) {
      await expect(attempt(bad)).rejects.toMatchObject({ name: "ValidationException" });
    }
    await attempt({ Description: "x".repeat(256) });
    await expect(client.send(new GetAliasCommand(alias("constructor")))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(client.send(new UpdateAliasCommand({ ...alias(), FunctionVersion: "9" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("takes the weight of one other version, and no weight that Lambda refuses", async () => {
    const weights = (AdditionalVersionWeights: Record<string, number>) => ({ RoutingConfig: { AdditionalVersionWeights } });
    await client.send(new CreateAliasCommand({ ...alias(), FunctionVersion: "1", ...weights({ "2": 0.25 }) }));
    expect((await client.send(new GetAliasCommand(alias()))).RoutingConfig).toEqual({ AdditionalVersionWeights: { "2": 0.25 } });
    for (const bad of [weights({ "2": 1.5 }), weights({ "1": 0.5 }), weights({ "2": 0.1, $LATEST: 0.1 }), { FunctionVersion: "$LATEST" }]) {
      await expect(client.send(new UpdateAliasCommand({ ...alias(), ...bad }))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 400 },
      });
    }
    await client.send(new UpdateAliasCommand({ ...alias(), ...weights({}) }));
    expect((await client.send(new GetAliasCommand(alias()))).RoutingConfig).toBeUndefined();
  });

  it("keeps the versions it names from being deleted", async () => {
    await client.send(
      new CreateAliasCommand({ ...alias(), FunctionVersion: "1", RoutingConfig: { AdditionalVersionWeights: { "2": 0.1 } } }),
    );
    for (const Qualifier of ["1", "2"]) {
      await expect(client.send(new DeleteFunctionCommand({ FunctionName: "web", Qualifier }))).rejects.toMatchObject({
        name: "ResourceConflictException",
        message: expect.stringContaining("[live]"),
      });
    }
    await client.send(new DeleteAliasCommand(alias()));
    await client.send(new DeleteAliasCommand(alias()));
    await client.send(new DeleteFunctionCommand({ FunctionName: "web", Qualifier: "1" }));
    await expect(configuration("web", "1")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("owns a function URL, which goes with it", async () => {
    await client.send(new CreateAliasCommand({ ...alias(), FunctionVersion: "1" }));
    const at = { FunctionName: "web", Qualifier: "live" };
    await expect(client.send(new GetFunctionUrlConfigCommand(at))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    const { FunctionUrl = "" } = await client.send(new CreateFunctionUrlConfigCommand({ ...at, AuthType: "NONE" }));
    const id = /^http:\/\/([a-z0-9]+)\.lambda-url\.localhost:4566\/$/.exec(FunctionUrl)?.[1] ?? "";
    expect(endpoint.lambda.functionUrl(id)).toEqual({ functionName: "web", qualifier: "live", authType: "NONE" });
    await expect(client.send(new CreateFunctionUrlConfigCommand({ ...at, AuthType: "NONE" }))).rejects.toMatchObject({
      name: "ResourceConflictException",
    });
    await expect(client.send(new CreateFunctionUrlConfigCommand({ ...at, Qualifier: "1", AuthType: "NONE" }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
    expect(await client.send(new GetFunctionUrlConfigCommand(at))).toMatchObject({ FunctionUrl, InvokeMode: "BUFFERED", AuthType: "NONE" });
    await client.send(new DeleteAliasCommand(alias()));
    expect(endpoint.lambda.functionUrl(id)).toBeUndefined();
  });

  it("may lose its function URL, once, and gets another one then", async () => {
    await client.send(new CreateAliasCommand({ ...alias(), FunctionVersion: "1" }));
    const at = { FunctionName: "web", Qualifier: "live" };
    const url = async () => (await client.send(new CreateFunctionUrlConfigCommand({ ...at, AuthType: "NONE" }))).FunctionUrl;
    const first = await url();
    expect((await client.send(new DeleteFunctionUrlConfigCommand(at))).$metadata.httpStatusCode).toBe(204);
    const missing = { name: "ResourceNotFoundException", $metadata: { httpStatusCode: 404 } };
    for (const Command of [DeleteFunctionUrlConfigCommand, GetFunctionUrlConfigCommand])
      await expect(client.send(new Command(at) as GetFunctionUrlConfigCommand)).rejects.toMatchObject(missing);
    await expect(client.send(new DeleteFunctionUrlConfigCommand({ ...at, Qualifier: "none" }))).rejects.toMatchObject(missing);
    expect(await client.send(new GetAliasCommand(alias()))).toMatchObject({ FunctionVersion: "1" });
    expect(await url()).not.toBe(first);
  });
});

describe("what is recorded only", () => {
  const queue = "arn:aws:sqs:eu-west-1:000000000000:revalidation.fifo";
  beforeEach(async () => {
    await create("web", "async () => 1", { Publish: true });
    await client.send(new CreateAliasCommand({ FunctionName: "web", Name: "live", FunctionVersion: "1" }));
  });

  it("are permissions: a statement id is used once", async () => {
    const at = { FunctionName: "web", Qualifier: "live" };
    const permission = {
      ...at,
      StatementId: "url",
      Action: "lambda:InvokeFunctionUrl",
      Principal: "*",
      FunctionUrlAuthType: "NONE" as const,
    };
    const { Statement = "" } = await client.send(new AddPermissionCommand(permission));
    expect(JSON.parse(Statement)).toEqual({
      Sid: "url",
      Effect: "Allow",
      Principal: "*",
      Action: "lambda:InvokeFunctionUrl",
      Resource: "arn:aws:lambda:eu-west-1:000000000000:function:web:live",
      Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } },
    });
    await expect(client.send(new AddPermissionCommand(permission))).rejects.toMatchObject({ name: "ResourceConflictException" });
  });

  it("are policies: each qualifier has its own, until its last statement is removed", async () => {
    const at = { FunctionName: "web", Qualifier: "live" };
    const missing = { name: "ResourceNotFoundException", $metadata: { httpStatusCode: 404 } };
    await expect(client.send(new GetPolicyCommand(at))).rejects.toMatchObject(missing);
    for (const StatementId of ["one", "two"])
      await client.send(new AddPermissionCommand({ ...at, StatementId, Action: "lambda:InvokeFunction", Principal: "*" }));
    const { Policy = "", RevisionId } = await client.send(new GetPolicyCommand(at));
    expect(JSON.parse(Policy)).toMatchObject({ Version: "2012-10-17", Id: "default", Statement: [{ Sid: "one" }, { Sid: "two" }] });
    await expect(client.send(new GetPolicyCommand({ FunctionName: "web" }))).rejects.toMatchObject(missing);
    await expect(client.send(new GetPolicyCommand({ ...at, Qualifier: "none" }))).rejects.toMatchObject(missing);

    const remove = (StatementId: string, more: object = {}) => client.send(new RemovePermissionCommand({ ...at, StatementId, ...more }));
    await expect(remove("three")).rejects.toMatchObject(missing);
    expect((await remove("one", { RevisionId })).$metadata.httpStatusCode).toBe(204);
    await expect(remove("two", { RevisionId })).rejects.toMatchObject({ name: "PreconditionFailedException" });
    await expect(remove("one")).rejects.toMatchObject(missing);
    await remove("two");
    await expect(client.send(new GetPolicyCommand(at))).rejects.toMatchObject(missing);
  });

  it("are event source mappings, which others poll", async () => {
    const created = await client.send(
      new CreateEventSourceMappingCommand({
        EventSourceArn: queue,
        FunctionName: "web:live",
        BatchSize: 5,
        FunctionResponseTypes: ["ReportBatchItemFailures"],
      }),
    );
    expect(created).toMatchObject({ State: "Creating", FunctionArn: expect.stringMatching(/:web:live$/) });
    expect(created.LastModified).toBeInstanceOf(Date);
    expect(endpoint.lambda.mappings()).toMatchObject([
      {
        uuid: created.UUID,
        eventSourceArn: queue,
        functionName: "web",
        qualifier: "live",
        enabled: true,
        batchSize: 5,
        functionResponseTypes: ["ReportBatchItemFailures"],
      },
    ]);
    const twin = new CreateEventSourceMappingCommand({ EventSourceArn: queue, FunctionName: created.FunctionArn ?? "" });
    await expect(client.send(twin)).rejects.toMatchObject({ name: "ResourceConflictException" });
    const nobody = new CreateEventSourceMappingCommand({ EventSourceArn: queue, FunctionName: "web:nobody" });
    await expect(client.send(nobody)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    const wide = new CreateEventSourceMappingCommand({ EventSourceArn: queue, FunctionName: "web", BatchSize: 11 });
    await expect(client.send(wide)).rejects.toMatchObject({ name: "InvalidParameterValueException" });
    const list = async (FunctionName: string) =>
      (await client.send(new ListEventSourceMappingsCommand({ FunctionName }))).EventSourceMappings?.map(({ State }) => State);
    expect([await list("web:live"), await list("web")]).toEqual([["Enabled"], []]);
  });
});

describe("the account", () => {
  it("counts the code of every version against 75 GiB", async () => {
    const { CodeSize = 0 } = await create("web", "async () => 1", { Publish: true });
    const { AccountLimit, AccountUsage } = await client.send(new GetAccountSettingsCommand({}));
    expect(AccountLimit?.TotalCodeSize).toBe(80_530_636_800);
    expect(AccountUsage).toEqual({ TotalCodeSize: 2 * CodeSize, FunctionCount: 1 });
  });

  it("answers 429 with Retry-After as often as asked, and the SDK's own retry gets through", async () => {
    await create("web");
    endpoint.lambda.throttle("GetFunctionConfiguration", 1);
    await expect(configuration("web")).rejects.toMatchObject({
      name: "TooManyRequestsException",
      retryAfterSeconds: "1",
      $metadata: { httpStatusCode: 429 },
    });
    endpoint.lambda.throttle("GetFunctionConfiguration", 2);
    const patient = endpoint.connect({ maxAttempts: 3 });
    const seen = await patient.send(new GetFunctionConfigurationCommand({ FunctionName: "web" }));
    expect(seen.$metadata.attempts).toBe(3);
  });

  it("says which call it does not have", async () => {
    const response = await fetch(`${endpoint.url}/2018-10-31/layers`);
    expect([response.status, response.headers.get("x-amzn-errortype"), await response.json()]).toEqual([
      404,
      "UnknownOperationException",
      expect.objectContaining({ Message: "The local Lambda does not have GET /2018-10-31/layers." }),
    ]);
  });
});

describe("after a restart", () => {
  it("everything is as it was, and an update that was in progress completes", async () => {
    await create("web");
    await release("web", "async () => 'one'");
    await client.send(new CreateAliasCommand({ FunctionName: "web", Name: "live", FunctionVersion: "1", Description: "seq=1" }));
    const { FunctionUrl } = await client.send(
      new CreateFunctionUrlConfigCommand({ FunctionName: "web", Qualifier: "live", AuthType: "NONE" }),
    );
    const alias = endpoint.lambda.alias("web", "live");
    const updating = await client.send(new UpdateFunctionCodeCommand({ FunctionName: "web", ZipFile: await bundle("async () => 'two'") }));
    await endpoint.close();
    await start();
    await updated("web");
    expect(endpoint.lambda.alias("web", "live")).toEqual(alias);
    expect((await client.send(new GetFunctionUrlConfigCommand({ FunctionName: "web", Qualifier: "live" }))).FunctionUrl).toBe(FunctionUrl);
    expect((await configuration("web")).RevisionId).not.toBe(updating.RevisionId);
    expect(String((await endpoint.lambda.invoke("web", "live", "{}")).payload)).toBe('"one"');
    expect(String((await endpoint.lambda.invoke("web", "$LATEST", "{}")).payload)).toBe('"two"');
  });

  it("code that no version names any more is gone, shared code is kept once", async () => {
    const codes = async () => (await readdir(join(folder.path, "lambda", "code"))).length;
    await create("web", "async () => 1", { Publish: true });
    await create("twin", "async () => 1");
    expect(await codes()).toBe(1);
    await release("web", "async () => 2");
    expect(await codes()).toBe(2);
    await client.send(new DeleteFunctionCommand({ FunctionName: "web" }));
    await until("only the twin's code is left", async () => (await codes()) === 1);
    expect((await endpoint.lambda.invoke("twin", "$LATEST", "{}")).payload.toString()).toBe("1");
  });
});

/** One entry whose directory says it has 251 MB. */
const hugeZip = async (): Promise<Buffer> => {
  const bytes = await zip({ "index.mjs": "1" });
  bytes.writeUInt32LE(251 * 2 ** 20, bytes.indexOf(Buffer.from("PK\x01\x02")) + 24);
  return bytes;
};

const damagedZip = async (): Promise<Buffer> => {
  const bytes = await zip({ "index.mjs": "export const handler = 1;".repeat(200) });
  bytes.fill(0xff, 50, 70);
  return bytes;
};

/** A zip with a name that no honest zip library writes. */
const renamedInZip = async (evil: string, placeholder: string): Promise<Buffer> => {
  const bytes = await zip({ [placeholder]: "1" });
  for (let at = bytes.indexOf(placeholder); at >= 0; at = bytes.indexOf(placeholder)) bytes.write(evil, at);
  return bytes;
};
