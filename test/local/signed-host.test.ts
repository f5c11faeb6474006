import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateTableCommand, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateFunctionCommand, InvokeCommand, waitUntilFunctionActive } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalAws, startAws } from "../../local/aws.ts";
import { REGION } from "../../local/http.ts";
import { ROLE, temporaryFolder, zip } from "./lambda-endpoint.ts";

/** Functions that sign their requests themselves, as OpenNext's `s3-lite`, `sqs-lite` and `dynamodb-lite` do, and that keep what they were published with. */
const CODE = `
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import { AwsClient } from "aws4fetch";
const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, QUEUE_URL } = process.env;
const json = (target) => ({ "content-type": "application/x-amz-json-1.0", "x-amz-target": target });
export const handler = async ({ verb, host, key = {}, body, target, message }) => {
  if (verb === "send") return (await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: QUEUE_URL, MessageBody: message }))).MessageId;
  const client = new AwsClient({ accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, region: AWS_REGION, retries: 0, ...key });
  try {
    const answer = await client.fetch("https://" + host, { method: verb, body, headers: target ? json(target) : {} });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    return { failed: String(error.cause ?? error) };
  }
};`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let aws: LocalAws;
let Code: { ZipFile: Uint8Array };
beforeAll(async () => {
  folder = await temporaryFolder();
  aws = await startAws({ dataDir: join(folder.path, "data"), log: () => undefined });
  const outfile = join(folder.path, "index.mjs");
  await build({
    stdin: { contents: CODE, resolveDir: import.meta.dirname, loader: "js" },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  Code = { ZipFile: await zip({ "index.mjs": await readFile(outfile, "utf8") }) };
});
afterAll(async () => {
  await aws.close();
  await folder.remove();
});

let made = 0;
const functionWith = async (Variables: Record<string, string> = {}): Promise<(event: object) => Promise<unknown>> => {
  const { lambda } = aws.clients;
  made += 1;
  const FunctionName = `signs-${made}`;
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: ROLE,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Timeout: 20,
      Code,
      Environment: { Variables },
    }),
  );
  await waitUntilFunctionActive({ client: lambda, maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName });
  return async (event) => {
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
    return JSON.parse(Buffer.from(Payload ?? []).toString());
  };
};

describe("a request that a function signs for a host of AWS", () => {
  it("reaches the local S3, the bucket named by the host", async () => {
    await aws.clients.s3.send(new CreateBucketCommand({ Bucket: "pages" }));
    const ask = await functionWith();
    const host = `pages.s3.${REGION}.amazonaws.com/web/_cache/caf%C3%A9.cache`;
    expect(await ask({ verb: "PUT", host, body: "a page" })).toEqual({ status: 200, text: "" });
    const { Body } = await aws.clients.s3.send(new GetObjectCommand({ Bucket: "pages", Key: "web/_cache/café.cache" }));
    expect(await Body?.transformToString()).toBe("a page");
    expect(await ask({ verb: "GET", host })).toEqual({ status: 200, text: "a page" });
    expect(await ask({ verb: "GET", host: `pages.s3.${REGION}.amazonaws.com/none` })).toMatchObject({ status: 404 });
  });

  it("reaches the local queues and tables", async () => {
    const { QueueUrl = "" } = await aws.clients.sqs.send(new CreateQueueCommand({ QueueName: "stale" }));
    await aws.clients.dynamodb.send(
      new CreateTableCommand({
        TableName: "tags",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "tag", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "tag", KeyType: "HASH" }],
      }),
    );
    const ask = await functionWith();
    const sent = { verb: "POST", host: `sqs.${REGION}.amazonaws.com`, target: "AmazonSQS.SendMessage" };
    expect(await ask({ ...sent, body: JSON.stringify({ QueueUrl, MessageBody: "again" }) })).toMatchObject({ status: 200 });
    const { Messages = [] } = await aws.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages.map(({ Body }) => Body)).toEqual(["again"]);
    const put = { verb: "POST", host: `dynamodb.${REGION}.amazonaws.com`, target: "DynamoDB_20120810.PutItem" };
    expect(await ask({ ...put, body: JSON.stringify({ TableName: "tags", Item: { tag: { S: "home" } } }) })).toMatchObject({ status: 200 });
    const { Item } = await aws.clients.dynamodb.send(new GetItemCommand({ TableName: "tags", Key: { tag: { S: "home" } } }));
    expect(Item).toEqual({ tag: { S: "home" } });
  });

  it("is refused where it was signed with another secret, and goes to AWS where it was with another key", async () => {
    const ask = await functionWith();
    const host = `pages.s3.${REGION}.amazonaws.com/x`;
    expect(await ask({ verb: "GET", host, key: { secretAccessKey: "wrong" } })).toMatchObject({ status: 403 });
    const before = aws.endpoint.counters();
    // a host that no name server knows: nothing leaves this machine
    const away = await ask({
      verb: "GET",
      host: "pages.s3.none.invalid.amazonaws.com/x",
      key: { accessKeyId: "AKIAOTHER", secretAccessKey: "x" },
    });
    expect(away).toEqual({ failed: expect.any(String) });
    expect(aws.endpoint.counters()).toEqual({ ...before, "lambda.Invoke": (before["lambda.Invoke"] ?? 0) + 1 });
  });

  it("is refused where somebody without the key names a host", async () => {
    const answer = await fetch(`${aws.endpoint.url}/x`, { headers: { "x-signed-host": `pages.s3.${REGION}.amazonaws.com` } });
    expect(answer.status).toBe(403);
  });
});

it("the queue that a version was published with is found where this AWS answers now", async () => {
  const { QueueUrl = "" } = await aws.clients.sqs.send(new CreateQueueCommand({ QueueName: "moved" }));
  const then = new URL(QueueUrl);
  then.port = "9";
  const ask = await functionWith({ QUEUE_URL: then.href });
  expect(await ask({ verb: "send", message: "still here" })).toEqual(expect.any(String));
  const { Messages = [] } = await aws.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages.map(({ Body }) => Body)).toEqual(["still here"]);
});
