import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  waitUntilFunctionActive,
} from "@aws-sdk/client-lambda";
import { paginateListServiceQuotas, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isOutage, isOutOfTime, isThrottled } from "../../engine/aws/errors.ts";
import { lambdaFunctions } from "../../engine/aws/functions.ts";
import { accountNamed, newAccount } from "../../local/account-limits.ts";
import { serveApi } from "../../local/api-server.ts";
import { type LocalAws, startAws } from "../../local/aws.ts";
import { clientOptions } from "../../local/client-options.ts";
import { addressByNumber } from "../../local/function-address.ts";
import { callRate } from "../../local/lambda/call-rate.ts";
import { openConcurrency } from "../../local/lambda/concurrency.ts";
import { pollQueue } from "../../local/queue-poller.ts";
import { openRoom, spec } from "./codebuild-room.ts";
import { createQueue, queueArn } from "./endpoint-support.ts";
import { bundle, ROLE, startEndpoint, temporaryFolder, until } from "./lambda-endpoint.ts";

const MOST = 10;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let aws: LocalAws;
/** one that is told of each refusal, where the engine's own would ask again */
let lambda: LambdaClient;
beforeAll(async () => {
  folder = await temporaryFolder();
  // its API may be called as often as these tests do
  const { lambdaCalls: _, ...account } = newAccount();
  aws = await startAws({ dataDir: join(folder.path, "data"), account, log: () => {} });
  lambda = new LambdaClient({ ...clientOptions(aws.endpoint), maxAttempts: 1 });
});
afterAll(async () => {
  lambda.destroy();
  await aws.close();
  await folder.remove();
});

/** A function that answers, or ends what it streams, once the file is there; where it ran, there is a file of its name beside it. */
const create = async (FunctionName: string, gate: string, streams = false): Promise<string> => {
  const opened = `const { existsSync } = process.getBuiltinModule("node:fs");
    while (!existsSync(${JSON.stringify(gate)})) await new Promise((resolve) => setTimeout(resolve, 10));`;
  const ran = `process.getBuiltinModule("node:fs").writeFileSync(${JSON.stringify(join(folder.path, FunctionName))}, "");`;
  const handler = streams
    ? `awslambda.streamifyResponse(async (event, stream) => { stream.write("begun"); ${opened} stream.end(); })`
    : `async () => { ${opened} ${ran} return { statusCode: 200, body: "open" }; }`;
  const Code = { ZipFile: await bundle(handler) };
  await lambda.send(
    new CreateFunctionCommand({ FunctionName, Role: ROLE, Runtime: "nodejs24.x", Handler: "index.handler", Code, Timeout: 60 }),
  );
  await waitUntilFunctionActive({ client: lambda, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName });
  const InvokeMode = streams ? "RESPONSE_STREAM" : "BUFFERED";
  const { FunctionUrl = "" } = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE", InvokeMode }));
  return addressByNumber(FunctionUrl);
};
const invoke = (FunctionName: string, InvocationType: "RequestResponse" | "Event" = "RequestResponse") =>
  lambda.send(new InvokeCommand({ FunctionName, InvocationType }));
const throttled = { name: "TooManyRequestsException", Reason: "ConcurrentInvocationLimitExceeded", $metadata: { httpStatusCode: 429 } };
/** Begins as many as there is room for, as other functions of the account would. */
const fill = (): (() => void)[] => Array.from({ length: MOST }, () => aws.lambda.concurrency.begin());

describe("invocations of a new account", () => {
  it("are ten at once, of all functions together: one more is throttled, and runs when another has ended", async () => {
    const gate = join(folder.path, "gate");
    const url = await create("one", gate);
    await create("other", gate);
    const running = Array.from({ length: MOST }, (_, n) => invoke(n % 2 === 0 ? "one" : "other"));
    await until("all of them run", () => isFull());
    await expect(invoke("one")).rejects.toMatchObject(throttled);
    await expect(invoke("other")).rejects.toMatchObject(throttled);
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get("x-amzn-errortype"), await refused.json()]).toEqual([
      429,
      "TooManyRequestsException",
      expect.objectContaining({ Reason: throttled.Reason, message: "Rate Exceeded." }),
    ]);
    await writeFile(gate, "");
    for (const { StatusCode } of await Promise.all(running)) expect(StatusCode).toBe(200);
    expect((await invoke("one")).StatusCode).toBe(200);
    expect(await (await fetch(url)).text()).toBe("open");
  });

  it("last until a streamed answer has ended", async () => {
    const gate = join(folder.path, "stream-gate");
    const url = await create("streams", gate, true);
    const ends = fill();
    ends.pop()?.();
    const answer = await fetch(url);
    expect(isFull()).toBe(true);
    await writeFile(gate, "");
    expect(await answer.text()).toBe("begun");
    await until("there is room", () => !isFull());
    for (const end of ends) end();
  });

  it("wait where they are asynchronous", async () => {
    const gate = join(folder.path, "later-gate");
    await writeFile(gate, "");
    await create("later", gate);
    const ends = fill();
    expect((await invoke("later", "Event")).StatusCode).toBe(202);
    await expect(invoke("later")).rejects.toMatchObject(throttled);
    expect(existsSync(join(folder.path, "later"))).toBe(false);
    ends.pop()?.();
    await until("it ran", () => existsSync(join(folder.path, "later")));
    for (const end of ends) end();
  });

  it("wait where they are of a queue, whose messages come again when they waited too long", async () => {
    const client = aws.clients.sqs;
    const QueueUrl = await createQueue({ sqs: client } as never, "waits");
    const said: string[] = [];
    const receives: string[] = [];
    const full = openConcurrency(1);
    const end = full.begin();
    const poller = pollQueue({
      client,
      fn: "reads",
      queueUrl: QueueUrl,
      queueArn: queueArn("waits"),
      batchSize: 1,
      concurrency: 1,
      invocations: full,
      log: (line) => void said.push(line),
      handle: async ({ Records }) => {
        for (const { attributes } of Records) receives.push(attributes.ApproximateReceiveCount);
        return { batchItemFailures: [] };
      },
    });
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "soon" }));
    await until("it was let go", () => said.length > 0);
    expect(said).toEqual([`queue ${queueArn("waits")}: throttled: reads finds no room, and 1 messages come again`]);
    expect(receives).toEqual([]);
    end();
    await until("it was handled", () => receives.length > 0);
    expect(receives).toEqual(["2"]);
    await poller.close();
  });

  it("are the API's too, which then cannot be asked", async () => {
    const ends = fill();
    const api = await serveApi({ fetch: () => new Response("reached") }, { port: 0, invocations: aws.lambda.concurrency });
    expect((await fetch(api.url)).status).toBe(503);
    ends.pop()?.();
    expect(await (await fetch(api.url)).text()).toBe("reached");
    for (const end of ends) end();
    await api.close();
  });
});

describe("executions that a function has reserved", () => {
  it("are its own: no flood of others takes one away, and it takes none of theirs", () => {
    const all = openConcurrency(5, new Map([["flips", 2]]));
    const [flips, site] = [all.of("flips"), all.of("site")];
    const visitors = [1, 2, 3].map(() => site.begin());
    expect(() => all.begin()).toThrow("Rate Exceeded.");
    const [first] = [flips.begin(), flips.begin()];
    expect(() => flips.begin()).toThrow("Rate Exceeded.");
    first?.();
    expect(() => site.begin()).toThrow("Rate Exceeded.");
    flips.begin();
    visitors[0]?.();
    site.begin();
    expect([all.max, all.unreserved]).toEqual([5, 3]);
  });

  it("are told of by Lambda, where the account has room for any", async () => {
    for (const [concurrentInvocations, unreserved] of [
      [390, 350],
      [389, 389],
    ] as const) {
      const data = join(folder.path, `reserves-${concurrentInvocations}`);
      const other = await startAws({ dataDir: data, account: { concurrentInvocations }, log: () => {} });
      const { AccountLimit } = await other.clients.lambda.send(new GetAccountSettingsCommand({}));
      await other.close();
      expect(AccountLimit?.UnreservedConcurrentExecutions).toBe(unreserved);
    }
  });
});

describe("whoever asks a release whether it works", () => {
  it("hears within seconds that there is no room", async () => {
    const ends = fill();
    const { invoke } = lambdaFunctions(aws.clients.briefLambda);
    const began = performance.now();
    const error = await invoke("one", "$LATEST", {}).catch((error: unknown) => error);
    expect(performance.now() - began).toBeLessThan(8_000);
    expect([isThrottled(error), isOutOfTime(error), isOutage(error)]).toEqual([true, false, true]);
    for (const end of ends) end();
  });

  it("waits no longer than it says for what does not answer", async () => {
    const gate = join(folder.path, "late-gate");
    await create("late", gate);
    const { invoke } = lambdaFunctions(aws.clients.briefLambda);
    const began = performance.now();
    const error = await invoke("late", "$LATEST", {}, 300).catch((error: unknown) => error);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect([isThrottled(error), isOutOfTime(error)]).toEqual([false, true]);
    await writeFile(gate, "");
    expect((await invoke("late", "$LATEST", {}, 20_000)).payload).toContain("open");
  });
});

it("a new account's quotas are what Lambda and Service Quotas say", async () => {
  const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
  expect(AccountLimit).toMatchObject({ ConcurrentExecutions: 10, UnreservedConcurrentExecutions: 10 });
  const quotas = new ServiceQuotasClient(clientOptions(aws.endpoint));
  const said: Record<string, number | undefined> = {};
  for (const ServiceCode of ["codebuild", "lambda"])
    for await (const { Quotas = [] } of paginateListServiceQuotas({ client: quotas }, { ServiceCode }))
      for (const { QuotaCode = "", Value } of Quotas) said[QuotaCode] = Value;
  quotas.destroy();
  expect(said).toEqual({ "L-5ED1D25B": 1, "L-9D07B6EF": 1, "L-B99A9384": 10 });
});

describe("Lambda's control plane", () => {
  it("takes fifteen calls a second of all operations together, and invocations besides", async () => {
    let now = 0;
    const endpoint = await startEndpoint(join(folder.path, "calls"), { account: newAccount(), now: () => now });
    const { client } = endpoint;
    const ZipFile = await bundle("async () => 1");
    await client.send(
      new CreateFunctionCommand({ FunctionName: "web", Role: ROLE, Runtime: "nodejs24.x", Handler: "index.handler", Code: { ZipFile } }),
    );
    const dryRun = () => client.send(new InvokeCommand({ FunctionName: "web", InvocationType: "DryRun" }));
    await until("it is active", () =>
      dryRun().then(
        () => true,
        () => false,
      ),
    );
    now += 1_000;
    const refusals = async (times: number, ask: () => Promise<unknown>): Promise<unknown[]> => {
      const outcomes = await Promise.allSettled(Array.from({ length: times }, ask));
      return outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    };
    const list = () => client.send(new ListFunctionsCommand({}));
    const configuration = () => client.send(new GetFunctionConfigurationCommand({ FunctionName: "web" }));
    expect(await refusals(10, list)).toEqual([]);
    const [refused, ...others] = await refusals(6, configuration);
    expect(others).toEqual([]);
    expect(refused).toMatchObject({
      name: "TooManyRequestsException",
      Reason: "CallerRateLimitExceeded",
      retryAfterSeconds: "1",
      $metadata: { httpStatusCode: 429 },
    });
    expect(await refusals(20, dryRun)).toEqual([]);
    now += 200;
    expect(await refusals(4, list)).toHaveLength(1);
    now += 3_600_000;
    expect(await refusals(16, list)).toHaveLength(1);
    await endpoint.close();
  });
});

it("GetFunction has a hundred calls a second of its own", () => {
  const mayCall = callRate(newAccount().lambdaCalls, () => 0);
  for (let n = 0; n < 100; n++) mayCall("GetFunction");
  expect(() => mayCall("GetFunction")).toThrow("Rate exceeded");
  expect(() => mayCall("GetAlias")).not.toThrow();
});

describe("CodeBuild", () => {
  it("of a new account refuses a second build of whichever project, and takes it when the first has ended", async () => {
    const room = await openRoom({ accountBuilds: 1 });
    const gate = join(room.dir, "gate");
    const waits = spec({ build: [`until [ -e ${gate} ]; do sleep 0.05; done`] });
    const first = await room.startBuild(waits);
    await expect(room.startBuild(waits)).rejects.toMatchObject({
      name: "AccountLimitExceededException",
      message: "Cannot have more than 1 builds in queue for the account",
    });
    await writeFile(gate, "");
    await room.ended(first);
    expect((await room.ended(await room.startBuild(waits))).buildStatus).toBe("SUCCEEDED");
    await room.close();
  });

  it("of an account that may have no build refuses the first", async () => {
    const room = await openRoom({ accountBuilds: 0 });
    await expect(room.startBuild(undefined)).rejects.toMatchObject({
      name: "AccountLimitExceededException",
      message: "Cannot have more than 0 builds in queue for the account",
    });
    await room.close();
  });
});

it("an account is asked for by a name that there is", () => {
  expect(accountNamed("new")).toEqual(newAccount(1));
  expect(accountNamed("new,builds=0")).toEqual(newAccount(0));
  for (const name of ["", "old", "new,", "new,builds=2", "renewed"]) expect(accountNamed(name)).toBeUndefined();
});

function isFull(): boolean {
  try {
    aws.lambda.concurrency.begin()();
    return false;
  } catch {
    return true;
  }
}
