import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  InvokeCommand,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActive,
  waitUntilFunctionUpdated,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type LocalAws, startAws } from "../../local/aws.ts";
import { routeOf } from "../../local/lambda/routes.ts";
import { createQueue } from "../../local/provision/engine-resources.ts";
import { placeholderZip } from "../../local/provision/placeholder.ts";
import { lambdaModel, type Model, misfits } from "./support/lambda-model.ts";

let folder: string;
let aws: LocalAws;
let model: Model | undefined;
let queueArn: string;
beforeAll(async () => {
  model = await lambdaModel();
  folder = await mkdtemp(join(tmpdir(), "shiplog-lambda-model-"));
  aws = await startAws({ dataDir: folder, log: () => undefined });
  queueArn = (await createQueue(aws.clients.sqs, "of-a-function", {})).arn;
  await create("web");
  await aws.clients.lambda.send(new PublishVersionCommand({ FunctionName: "web" }));
});
beforeEach(({ skip }) => skip(model === undefined, "there is no Python with botocore, whose model of Lambda is asked"));
afterAll(async () => {
  await aws.close();
  await rm(folder, { recursive: true, force: true });
});

const create = async (FunctionName: string) => {
  const { lambda: client } = aws.clients;
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: "arn:aws:iam::000000000000:role/any",
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Code: { ZipFile: await placeholderZip() },
    }),
  );
  await waitUntilFunctionActive({ client, maxWaitTime: 20, minDelay: 1 }, { FunctionName });
};
const named = { FunctionName: "web" };
const alias = { ...named, Name: "live" };
// biome-ignore lint/suspicious/noExplicitAny: commands of many kinds stand in one list
type Any = any;
const updated = () => waitUntilFunctionUpdated({ client: aws.clients.lambda, maxWaitTime: 20, minDelay: 1 }, named);
const operationOf = (command: object): string => command.constructor.name.replace(/Command$/, "");

it("every path is the one of the model", () => {
  const { operations } = model as Model;
  const supported = Object.entries(operations).filter(([name, { http }]) => {
    const path = http.requestUri.replace(/\?.*$/, "").replace(/\{[^}]+\}/g, "x");
    return routeOf(http.method, path)?.operation === name;
  });
  expect(supported.length).toBe(20);
});

describe("what succeeds has the status and the shape of the model", () => {
  /** In this order: each stands on those before. */
  const calls: readonly (readonly [string, () => Any | Promise<Any>])[] = [
    [
      "a second function",
      async () =>
        new CreateFunctionCommand({
          FunctionName: "more",
          Role: "arn:aws:iam::000000000000:role/any",
          Runtime: "nodejs22.x",
          Handler: "index.handler",
          Code: { ZipFile: await placeholderZip() },
        }),
    ],
    ["settings", () => new UpdateFunctionConfigurationCommand({ ...named, MemorySize: 256, Environment: { Variables: { API_URL: "b" } } })],
    ["code, published", async () => new UpdateFunctionCodeCommand({ ...named, ZipFile: await placeholderZip(), Publish: true })],
    ["a version", () => new PublishVersionCommand(named)],
    ["an alias", () => new CreateAliasCommand({ ...alias, FunctionVersion: "1", Description: "seq=0 dep=none" })],
    ["an alias that moves", () => new UpdateAliasCommand({ ...alias, FunctionVersion: "2", Description: "seq=1 dep=x" })],
    ["an alias that is asked", () => new GetAliasCommand(alias)],
    ["all functions", () => new ListFunctionsCommand({})],
    ["all versions", () => new ListVersionsByFunctionCommand(named)],
    ["its configuration", () => new GetFunctionConfigurationCommand({ ...named, Qualifier: "1" })],
    ["an invocation", () => new InvokeCommand({ ...named, Qualifier: "live", Payload: "{}" })],
    ["an address", () => new CreateFunctionUrlConfigCommand({ ...named, Qualifier: "live", AuthType: "NONE" })],
    ["an address that is asked", () => new GetFunctionUrlConfigCommand({ ...named, Qualifier: "live" })],
    ["a permission", () => new AddPermissionCommand({ ...named, StatementId: "s", Action: "lambda:InvokeFunction", Principal: "*" })],
    ["a mapping", () => new CreateEventSourceMappingCommand({ FunctionName: "web:live", EventSourceArn: queueArn, BatchSize: 5 })],
    ["all mappings", () => new ListEventSourceMappingsCommand({})],
    ["the account", () => new GetAccountSettingsCommand({})],
    ["no alias", () => new DeleteAliasCommand(alias)],
    ["no function", () => new DeleteFunctionCommand({ FunctionName: "more" })],
  ];

  it("in every operation that the local Lambda has", async () => {
    const { operations } = model as Model;
    const wrong: string[] = [];
    for (const [what, make] of calls) {
      await updated();
      const command = await make();
      const answer = await aws.clients.lambda.send(command);
      const operation = operations[operationOf(command)];
      const { httpStatusCode } = answer.$metadata;
      if (httpStatusCode !== (operation?.http.responseCode ?? 200))
        wrong.push(`${what}: ${httpStatusCode}, and the model says ${operation?.http.responseCode}`);
      const { Payload: _, ...said } = answer as Any;
      wrong.push(
        ...misfits(model as Model, operation?.output?.shape ?? "", JSON.parse(JSON.stringify(said))).map((text) => `${what}: ${text}`),
      );
    }
    // what AWS does say, and its model does not
    expect(wrong).toEqual(["no function: 204, and the model says 200"]);
    expect(new Set(calls.map(([what]) => what)).size).toBe(19);
  });
});

describe("what is refused is refused as the model says", () => {
  const gone = { FunctionName: "gone" };
  const role = "arn:aws:iam::000000000000:role/any";
  const refusals: readonly (readonly [string, string, () => Any | Promise<Any>])[] = [
    ["its configuration", "ResourceNotFoundException", () => new GetFunctionConfigurationCommand(gone)],
    ["a version that is not there", "ResourceNotFoundException", () => new GetFunctionConfigurationCommand({ ...named, Qualifier: "99" })],
    ["an alias that is not there", "ResourceNotFoundException", () => new GetAliasCommand({ ...named, Name: "none" })],
    [
      "an alias of a version that is not there",
      "ResourceNotFoundException",
      () => new CreateAliasCommand({ ...named, Name: "bad", FunctionVersion: "99" }),
    ],
    ["an invocation of nothing", "ResourceNotFoundException", () => new InvokeCommand({ ...named, Qualifier: "none" })],
    [
      "a second function of a name",
      "ResourceConflictException",
      async () =>
        new CreateFunctionCommand({
          ...named,
          Role: role,
          Runtime: "nodejs22.x",
          Handler: "index.handler",
          Code: { ZipFile: await placeholderZip() },
        }),
    ],
    [
      "a runtime that nobody knows",
      "InvalidParameterValueException",
      async () =>
        new CreateFunctionCommand({
          FunctionName: "odd",
          Role: role,
          Runtime: "cobol" as Any,
          Handler: "index.handler",
          Code: { ZipFile: await placeholderZip() },
        }),
    ],
    [
      "code for another state",
      "PreconditionFailedException",
      async () =>
        new UpdateFunctionCodeCommand({ ...named, ZipFile: await placeholderZip(), RevisionId: "11111111-1111-1111-1111-111111111111" }),
    ],
    [
      "settings for another state",
      "PreconditionFailedException",
      () => new UpdateFunctionConfigurationCommand({ ...named, Timeout: 4, RevisionId: "11111111-1111-1111-1111-111111111111" }),
    ],
    ["an address that is not there", "ResourceNotFoundException", () => new GetFunctionUrlConfigCommand({ ...named, Qualifier: "none" })],
    ["a payload that is no JSON", "InvalidRequestContentException", () => new InvokeCommand({ ...named, Payload: "{half" })],
  ];

  it.each(refusals)("%s: %s", async (_, name, make) => {
    const { operations, shapes } = model as Model;
    await updated();
    const command = await make();
    const error = await aws.clients.lambda.send(command).then(
      () => undefined,
      (error: Error & { $metadata: { httpStatusCode: number } }) => error,
    );
    expect(error?.name).toBe(name);
    expect(operations[operationOf(command)]?.errors?.map(({ shape }) => shape)).toContain(name);
    expect(error?.$metadata.httpStatusCode).toBe(shapes[name]?.error?.httpStatusCode);
  });

  it("an alias is moved by nobody who has not seen its last state", async () => {
    const { lambda } = aws.clients;
    const { RevisionId } = await lambda.send(new CreateAliasCommand({ ...named, Name: "fenced", FunctionVersion: "1" }));
    await lambda.send(new UpdateAliasCommand({ ...named, Name: "fenced", Description: "moved", RevisionId }));
    await expect(lambda.send(new UpdateAliasCommand({ ...named, Name: "fenced", Description: "late", RevisionId }))).rejects.toMatchObject({
      name: "PreconditionFailedException",
      $metadata: { httpStatusCode: 412 },
    });
  });
});
