import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { CreateInvalidationCommand } from "@aws-sdk/client-cloudfront";
import { DescribeKeyValueStoreCommand, GetKeyCommand, PutKeyCommand } from "@aws-sdk/client-cloudfront-keyvaluestore";
import { GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DescribeTableCommand, GetItemCommand, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateEventBusCommand, PutEventsCommand, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
} from "@aws-sdk/client-secrets-manager";
import { GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Endpoint, type Invalidation, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { openKeyValueStores } from "../../local/endpoint/key-value-store.ts";
import { AwsError } from "../../local/http.ts";
import {
  type Clients,
  clientsOf,
  createQueue,
  createTable,
  eventually,
  failureOf,
  newDataDir,
  queueArn,
  removeDataDirs,
  signedFetch,
  takeMessage,
} from "./endpoint-support.ts";

let endpoint: Endpoint;
let clients: Clients;
const dataDir = newDataDir();
beforeAll(async () => {
  endpoint = await startEndpoint({ dataDir });
  clients = clientsOf(endpoint);
});
afterAll(async () => {
  clients.destroy();
  await endpoint.close();
  removeDataDirs();
});

describe("secrets", () => {
  it("are created, read, given a new value and deleted", async () => {
    const { ARN } = await clients.secrets.send(new CreateSecretCommand({ Name: "app/token", SecretString: "one" }));
    expect(ARN).toMatch(/^arn:aws:secretsmanager:eu-west-1:000000000000:secret:app\/token-\w{6}$/);
    const put = await clients.secrets.send(new PutSecretValueCommand({ SecretId: "app/token", SecretString: "two" }));
    const current = await clients.secrets.send(new GetSecretValueCommand({ SecretId: ARN }));
    expect(current).toMatchObject({ SecretString: "two", VersionId: put.VersionId, VersionStages: ["AWSCURRENT"] });
    const previous = await clients.secrets.send(new GetSecretValueCommand({ SecretId: "app/token", VersionStage: "AWSPREVIOUS" }));
    expect(previous.SecretString).toBe("one");
    expect((await clients.secrets.send(new DescribeSecretCommand({ SecretId: "app/token" }))).CreatedDate).toBeInstanceOf(Date);
    expect((await failureOf(clients.secrets.send(new CreateSecretCommand({ Name: "app/token" })))).name).toBe("ResourceExistsException");
    await clients.secrets.send(new DeleteSecretCommand({ SecretId: "app/token" }));
    const gone = await failureOf(clients.secrets.send(new GetSecretValueCommand({ SecretId: "app/token" })));
    expect(gone.name).toBe("ResourceNotFoundException");
  });

  it("lie in a file that only its owner reads", async () => {
    await clients.secrets.send(new CreateSecretCommand({ Name: "mode", SecretBinary: Buffer.from([1, 2]) }));
    expect(statSync(join(dataDir, "secrets.json")).mode & 0o777).toBe(0o600);
    const { SecretBinary } = await clients.secrets.send(new GetSecretValueCommand({ SecretId: "mode" }));
    expect(SecretBinary).toEqual(new Uint8Array([1, 2]));
  });
});

describe("logs", () => {
  const named = { logGroupName: "/aws/codebuild/web", logStreamName: "build/1" };
  it("are read page by page, and go on where the last page ended", async () => {
    const lines = ["a", "b", "c"].map((message, at) => ({ timestamp: 1000 + at, message }));
    endpoint.logs.append(named.logGroupName, named.logStreamName, lines);

    const first = await clients.logs.send(new GetLogEventsCommand({ ...named, startFromHead: true, limit: 2 }));
    expect(first.events?.map(({ message }) => message)).toEqual(["a", "b"]);
    const next = () => clients.logs.send(new GetLogEventsCommand({ ...named, nextToken: first.nextForwardToken }));
    expect((await next()).events?.map(({ message }) => message)).toEqual(["c"]);
    endpoint.logs.append(named.logGroupName, named.logStreamName, [{ timestamp: 2000, message: "d" }]);
    const last = await next();
    expect(last.events?.map(({ message }) => message)).toEqual(["c", "d"]);
    const end = await clients.logs.send(new GetLogEventsCommand({ ...named, nextToken: last.nextForwardToken }));
    expect([end.events, end.nextForwardToken]).toEqual([[], last.nextForwardToken]);

    const tail = await clients.logs.send(new GetLogEventsCommand({ ...named, limit: 1 }));
    expect(tail.events?.map(({ message }) => message)).toEqual(["d"]);
    const some = await clients.logs.send(new GetLogEventsCommand({ ...named, startFromHead: true, startTime: 1001, endTime: 2000 }));
    expect(some.events?.map(({ message }) => message)).toEqual(["b", "c"]);
  });

  it("name what does not exist", async () => {
    const unknown = new GetLogEventsCommand({ logGroupName: "../..", logStreamName: "x" });
    expect((await failureOf(clients.logs.send(unknown))).name).toBe("ResourceNotFoundException");
    const stream = new GetLogEventsCommand({ ...named, logStreamName: "build/2" });
    expect(await failureOf(clients.logs.send(stream))).toMatchObject({ message: expect.stringContaining("log stream does not exist") });
  });
});

describe("an invalidation", () => {
  const invalidate = (CallerReference: string, ...Items: string[]) =>
    clients.cloudfront.send(
      new CreateInvalidationCommand({
        DistributionId: "EDGE",
        InvalidationBatch: { CallerReference, Paths: { Quantity: Items.length, Items } },
      }),
    );

  it("reaches the caches once per caller reference, and is completed when they are done", async () => {
    const heard: Invalidation[] = [];
    let empty = () => {};
    const emptied = new Promise<void>((resolve) => {
      empty = resolve;
    });
    const stop = endpoint.onInvalidation(async (invalidation) => {
      heard.push(invalidation);
      await emptied;
    });
    const { Invalidation: created } = await invalidate("dep_1/7", "/*", "/a?b&c");
    const { Invalidation: again } = await invalidate("dep_1/7", "/*", "/a?b&c");
    expect(again?.Id).toBe(created?.Id);
    expect(heard).toEqual([{ id: created?.Id, distributionId: "EDGE", callerReference: "dep_1/7", paths: ["/*", "/a?b&c"] }]);
    expect([created?.Status, again?.Status]).toEqual(["InProgress", "InProgress"]);
    expect(endpoint.counters()["cloudfront.CreateInvalidation"]).toBe(2);
    empty();
    const status = async () => (await invalidate("dep_1/7", "/*", "/a?b&c")).Invalidation?.Status;
    await eventually("completion", async () => (await status()) === "Completed");
    stop();
    expect(heard).toHaveLength(1);
  });

  it("is refused when its reference was used for other paths", async () => {
    await invalidate("used", "/a");
    expect(await failureOf(invalidate("used", "/b"))).toMatchObject({ name: "InvalidationBatchAlreadyExists" });
    expect((await failureOf(invalidate("wrong", "no-slash"))).name).toBe("InvalidArgument");
  });
});

describe("the front door", () => {
  it("gives requests to the mounted services, and their errors as AWS's", async () => {
    expect((await failureOf(clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "f" })))).message).toContain(
      "without lambda",
    );
    endpoint.mount("lambda", async ({ path }) => {
      throw new AwsError("ResourceNotFoundException", 404, `no ${path}`);
    });
    const failure = await failureOf(clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "f" })));
    expect(failure).toEqual({ name: "ResourceNotFoundException", status: 404, message: "no /2015-03-31/functions/f/configuration" });
    expect(endpoint.counters()["lambda.GetFunctionConfiguration"]).toBe(2);
  });

  it("gives function URLs the path behind the id", async () => {
    endpoint.mount("functionUrl", async (urlId, { method, path, query, body }) => ({
      status: 201,
      headers: { "x-id": urlId },
      body: `${method} ${path} ${query.get("q")} ${body}`,
    }));
    const answer = await fetch(`${endpoint.url}/.lambda-url/abc/some%20path?q=1`, { method: "POST", body: "hello" });
    expect([answer.status, answer.headers.get("x-id"), await answer.text()]).toEqual([201, "abc", "POST /some%20path 1 hello"]);
  });

  it("answers an unknown service or operation with an error that names it", async () => {
    const ask = (target: string) =>
      signedFetch(endpoint, { service: "events", method: "POST", headers: { "x-amz-target": target }, body: "{}" });
    const service = await ask("Kinesis_20131202.PutRecord");
    expect([service.status, service.headers.get("x-amzn-errortype")]).toEqual([400, "UnknownOperationException"]);
    expect(await service.json()).toMatchObject({ message: expect.stringContaining("Kinesis_20131202.PutRecord") });
    expect(await (await ask("AWSEvents.CreateArchive")).json()).toMatchObject({ message: expect.stringContaining("CreateArchive") });

    const headers = { "content-type": "application/x-www-form-urlencoded" };
    for (const [service, body] of [
      ["sts", "Action=GetCallerIdentity&Version=2011-06-15"],
      ["sqs", "Action=SendMessage&Version=2012-11-05"],
    ] as const) {
      const form = await signedFetch(endpoint, { service, method: "POST", headers, body });
      expect([form.status, await form.text()]).toEqual([
        400,
        expect.stringMatching(new RegExp(`UnknownOperationException.*${service}`, "i")),
      ]);
    }
    const listed = await signedFetch(endpoint, {
      service: "cloudfront",
      method: "GET",
      path: "/2020-05-31/distribution/EDGE/invalidation",
    });
    expect([listed.status, await listed.text()]).toEqual([501, expect.stringContaining("NotImplemented")]);
  });

  it("listens on the loopback interface only", () => {
    const own = ["tcp", "tcp6"].flatMap((table) => listenersIn(readFileSync(`/proc/self/net/${table}`, "utf8")));
    const hexPort = endpoint.port.toString(16).toUpperCase().padStart(4, "0");
    expect(own.filter((address) => address.endsWith(`:${hexPort}`))).toEqual([`0100007F:${hexPort}`]);
  });

  it("goes on when a client goes away in the middle of a request", async () => {
    const target = "x-amz-target: DynamoDB_20120810.PutItem";
    const head = `POST / HTTP/1.1\r\nhost: localhost\r\n${target}\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n{`;
    const socket = connect(endpoint.port, "127.0.0.1");
    socket.write(head);
    const [taken] = (await once(socket, "data")) as [Buffer];
    expect(taken.toString()).toContain("100 Continue");
    socket.destroy();
    await once(socket, "close");
    expect((await clients.dynamodb.send(new ListTablesCommand({}))).TableNames).toEqual([]);
  });

  it("says when its directory or port is taken", async () => {
    await expect(startEndpoint({ dataDir })).rejects.toThrow("in use by another local endpoint");
    await expect(startEndpoint({ dataDir: newDataDir(), port: endpoint.port })).rejects.toThrow(`Port ${endpoint.port} is taken`);
  });

  it("takes an object far larger than a message and gives it back unchanged", { timeout: 60_000 }, async () => {
    await clients.s3.send(new CreateBucketCommand({ Bucket: "large" }));
    const Body = Buffer.alloc(64 * 1024 * 1024, "0123456789abcdef-");
    await clients.s3.send(new PutObjectCommand({ Bucket: "large", Key: "artifact.zip", Body }));
    const answer = await clients.s3.send(new GetObjectCommand({ Bucket: "large", Key: "artifact.zip" }));
    const hash = createHash("sha256");
    for await (const chunk of answer.Body as AsyncIterable<Buffer>) hash.update(chunk);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(Body).digest("hex"));
  });
});

describe("what was answered", () => {
  const KvsARN = openKeyValueStores(newDataDir()).create("kept");

  async function fill(of: Clients): Promise<void> {
    await createTable(of, "Kept", "NEW_IMAGE");
    await of.dynamodb.send(new PutItemCommand({ TableName: "Kept", Item: { pk: { S: "a" }, sk: { S: "1" } } }));
    await createQueue(of, "kept");
    await createQueue(of, "kept-events");
    await of.sqs.send(new SendMessageCommand({ QueueUrl: "http://x/000000000000/kept", MessageBody: "message" }));
    await of.s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    await of.s3.send(new PutObjectCommand({ Bucket: "kept", Key: "k", Body: "object", Metadata: { m: "1" } }));
    await of.secrets.send(new CreateSecretCommand({ Name: "kept", SecretString: "s" }));
    const { ETag } = await of.keyValueStore.send(new DescribeKeyValueStoreCommand({ KvsARN }));
    await of.keyValueStore.send(new PutKeyCommand({ KvsARN, Key: "kept", Value: "row", IfMatch: ETag }));
    await of.events.send(new CreateEventBusCommand({ Name: "kept" }));
    await of.events.send(new PutRuleCommand({ Name: "r", EventBusName: "kept", EventPattern: '{"source":["s"]}' }));
    const Targets = [{ Id: "1", Arn: queueArn("kept-events") }];
    await of.events.send(new PutTargetsCommand({ Rule: "r", EventBusName: "kept", Targets }));
    await publish(of, 1);
  }
  const publish = (of: Clients, n: number) =>
    of.events.send(
      new PutEventsCommand({ Entries: [{ EventBusName: "kept", Source: "s", DetailType: "d", Detail: JSON.stringify({ n }) }] }),
    );

  async function expectAllThere(of: Clients, url: string): Promise<void> {
    const { Table } = await of.dynamodb.send(new DescribeTableCommand({ TableName: "Kept" }));
    expect(Table?.StreamSpecification?.StreamEnabled).toBe(true);
    const read = await of.dynamodb.send(new GetItemCommand({ TableName: "Kept", Key: { pk: { S: "a" }, sk: { S: "1" } } }));
    expect(read.Item?.sk).toEqual({ S: "1" });
    const { QueueUrl = "" } = await of.sqs.send(new GetQueueUrlCommand({ QueueName: "kept" }));
    expect(QueueUrl).toBe(`${url}/000000000000/kept`);
    expect((await takeMessage(of, QueueUrl)).Body).toBe("message");
    const object = await of.s3.send(new GetObjectCommand({ Bucket: "kept", Key: "k" }));
    expect([await object.Body?.transformToString(), object.Metadata]).toEqual(["object", { m: "1" }]);
    expect((await of.secrets.send(new GetSecretValueCommand({ SecretId: "kept" }))).SecretString).toBe("s");
    expect((await of.keyValueStore.send(new GetKeyCommand({ KvsARN, Key: "kept" }))).Value).toBe("row");
    const { events } = await of.logs.send(new GetLogEventsCommand({ logGroupName: "kept", logStreamName: "s" }));
    expect(events).toMatchObject([{ message: "line" }]);
    await publish(of, 2);
    const queue = `${url}/000000000000/kept-events`;
    const details = [await takeMessage(of, queue), await takeMessage(of, queue)].map(({ Body = "" }) => JSON.parse(Body).detail.n);
    expect(details.sort()).toEqual([1, 2]);
  }

  it("is there after a restart on another port, and streams flow again", async () => {
    const directory = newDataDir();
    const first = await startEndpoint({ dataDir: directory });
    const before = clientsOf(first);
    first.keyValueStores.create("kept");
    await fill(before);
    first.logs.append("kept", "s", [{ timestamp: 1, message: "line" }]);
    before.destroy();
    await first.close();
    const second = await startEndpoint({ dataDir: directory });
    const after = clientsOf(second);
    await expectAllThere(after, second.url);
    let records = 0;
    second.onStream("Kept", async (batch) => {
      records += batch.length;
    });
    await after.dynamodb.send(new PutItemCommand({ TableName: "Kept", Item: { pk: { S: "a" }, sk: { S: "2" } } }));
    await eventually("a record of the remembered stream", () => records === 1);
    after.destroy();
    await second.close();
  });

  it("is there after the process was killed", async () => {
    const directory = newDataDir();
    const child = await startChild(
      directory,
      'endpoint.keyValueStores.create("kept"); endpoint.logs.append("kept", "s", [{ timestamp: 1, message: "line" }]);',
    );
    const before = clientsOf(child);
    await fill(before);
    child.process.kill("SIGKILL");
    await child.exit;
    before.destroy();
    const second = await startEndpoint({ dataDir: directory });
    const after = clientsOf(second);
    await expectAllThere(after, second.url);
    after.destroy();
    await second.close();
  });

  it("leaves nothing open: a process that closes its endpoint ends by itself", async () => {
    const child = await startChild(newDataDir(), "process.stdin.once('data', () => { process.stdin.destroy(); void endpoint.close(); });");
    const of = clientsOf(child);
    const QueueUrl = await createQueue(of, "polled");
    const poll = takeMessage(of, QueueUrl).catch((error: Error) => error.message);
    await of.sqs.send(new GetQueueUrlCommand({ QueueName: "polled" })); // answered after the poll, sent before it, has come
    child.process.stdin?.write("close\n");
    expect(await child.exit).toBe(0);
    expect(await poll).toContain("No message came"); // the poll was answered, not cut off
    of.destroy();
  });
});

type Child = Pick<Endpoint, "url" | "credentials"> & { process: ChildProcess; exit: Promise<number | null> };

/** An endpoint in a process of its own; `more` is code that runs there with `endpoint` in reach. */
async function startChild(directory: string, more = ""): Promise<Child> {
  const module = join(import.meta.dirname, "../../local/endpoint/endpoint.ts");
  const code = `const { startEndpoint } = await import(${JSON.stringify(module)});
    const endpoint = await startEndpoint({ dataDir: ${JSON.stringify(directory)} });
    console.log(JSON.stringify({ url: endpoint.url, credentials: endpoint.credentials }));
    ${more}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["pipe", "pipe", "inherit"] });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const started = await new Promise<Pick<Endpoint, "url" | "credentials">>((resolve, reject) => {
    child.stdout?.once("data", (data: Buffer) => resolve(JSON.parse(data.toString())));
    exit.then((status) => reject(new Error(`The endpoint's process ended with ${status} before it listened.`)));
  });
  return { process: child, ...started, exit };
}

/** `ADDRESS:PORT` in hexadecimal of the sockets that listen. */
const listenersIn = (table: string): string[] =>
  table.split("\n").flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    return state === "0A" ? [local] : [];
  });
