import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudFrontClient } from "@aws-sdk/client-cloudfront";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CreateQueueCommand, DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import { keyValueStoreClient } from "../../engine/aws/clients.ts";
import { clientOptions, type LocalPlace } from "../../local/client-options.ts";
import { REGION } from "../../local/http.ts";

/** Ordinary SDK clients of one endpoint. */
export function clientsOf(endpoint: LocalPlace) {
  const config = { ...clientOptions(endpoint), maxAttempts: 1 };
  const all = {
    dynamodb: new DynamoDBClient(config),
    sqs: new SQSClient({ ...config, useQueueUrlAsEndpoint: false }),
    s3: new S3Client({ ...config, forcePathStyle: true }),
    events: new EventBridgeClient(config),
    secrets: new SecretsManagerClient(config),
    logs: new CloudWatchLogsClient(config),
    cloudfront: new CloudFrontClient(config),
    lambda: new LambdaClient(config),
    keyValueStore: keyValueStoreClient(config),
  };
  return {
    ...all,
    destroy() {
      for (const client of Object.values(all)) client.destroy();
    },
  };
}
export type Clients = ReturnType<typeof clientsOf>;

/** A request as a client might make it; `service` is whose signature it carries. */
export type RawRequest = {
  readonly service: string;
  readonly method: string;
  readonly path?: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
};

/** A request of no SDK client, signed by the SDK's signer as it is. */
export async function signedFetch(endpoint: LocalPlace, request: RawRequest): Promise<Response> {
  const { service, method, path = "/", query = {}, headers = {}, body } = request;
  const signer = new SignatureV4({
    service,
    region: REGION,
    credentials: endpoint.credentials,
    sha256: Sha256,
    uriEscapePath: service !== "s3",
  });
  const { host } = new URL(endpoint.url);
  const signed = await signer.sign({ method, protocol: "http:", hostname: host, path, query, headers: { host, ...headers }, body });
  const question = Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : "";
  const { host: _, ...sent } = signed.headers;
  return fetch(`${endpoint.url}${path}${question}`, { method, headers: sent, ...(body === undefined ? {} : { body }) });
}

const made: string[] = [];
export function newDataDir(): string {
  const directory = mkdtempSync(join(tmpdir(), "endpoint-"));
  made.push(directory);
  return directory;
}
export function removeDataDirs(): void {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
}

/** Waits until `look` gives something, asking often; fails after 30 s with what it waited for. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`Waited 10 s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A table of `pk` and `sk`, ready to use. */
export async function createTable(
  { dynamodb }: Pick<Clients, "dynamodb">,
  TableName: string,
  stream?: "NEW_IMAGE" | "NEW_AND_OLD_IMAGES",
): Promise<void> {
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      ...(stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: stream } }),
    }),
  );
  await eventually(`${TableName} is active`, async () => {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
    return Table?.TableStatus === "ACTIVE";
  });
}

export async function createQueue({ sqs }: Clients, QueueName: string, Attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  return QueueUrl as string;
}

export const queueArn = (name: string): string => `arn:aws:sqs:eu-west-1:000000000000:${name}`;

/** The next message of a queue, taken out of it; fails when none comes. */
export async function takeMessage({ sqs }: Clients, QueueUrl: string): Promise<Message> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"] }),
  );
  const [message] = Messages;
  if (!message) throw new Error(`No message came to ${QueueUrl}`);
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  return message;
}

export async function isEmpty({ sqs }: Clients, QueueUrl: string): Promise<boolean> {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 0 }));
  return Messages.length === 0;
}

/** What a call failed with: its error's name and HTTP status. */
export async function failureOf(call: Promise<unknown>): Promise<{ name: string; status: number | undefined; message: string }> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { name, status: $metadata?.httpStatusCode, message };
  }
  throw new Error("The call was expected to fail, and succeeded.");
}
