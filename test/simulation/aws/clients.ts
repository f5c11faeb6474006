import { CloudFrontKeyValueStoreClient } from "@aws-sdk/client-cloudfront-keyvaluestore";
import { CodeBuildClient } from "@aws-sdk/client-codebuild";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, type PutEventsCommandInput } from "@aws-sdk/client-eventbridge";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SNAPSHOTS_TABLE } from "../../../blueprint/topology.ts";
import { awsError, call, type Kind, type Service } from "../world/call.ts";
import type { Cloud } from "./cloud.ts";

type Command = { readonly input: Record<string, unknown>; readonly constructor: { readonly name: string } };
type Effect = (cloud: Cloud, operation: string, input: never) => unknown;

const operationOf = (command: Command): string => command.constructor.name.slice(0, -"Command".length);

/** Reads of one call that change nothing are asked again by the client itself; only what changes something is worth a name. */
const ASKED_AGAIN = new Set(["UpdateAlias", "UpdateKeys", "UpdateFunctionCode", "UpdateFunctionConfiguration"]);
const kindOf = (operation: string, input: Record<string, unknown>): Kind =>
  operation === "PutItem" && input.TableName !== SNAPSHOTS_TABLE
    ? "append"
    : operation === "PutEvents"
      ? "publish"
      : ASKED_AGAIN.has(operation)
        ? "asked again"
        : "plain";

/** A client of the SDK as the adapters see it, whose calls go into the world that asks. */
const clientOf = <C extends object>(type: { prototype: C }, name: string, refusal: string, of: () => Cloud, effect: Effect): C => {
  const service: Service = { name, refusal: () => awsError(refusal, 429) };
  const send = (command: Command): Promise<unknown> => {
    const operation = operationOf(command);
    // an address that never changes: nothing can come between
    if (operation === "GetQueueUrl") return Promise.resolve({ QueueUrl: command.input.QueueName });
    const cloud = of();
    if (command.input.IndexName === "log" && cloud.events.isEmpty(partitionOf(command.input))) return Promise.resolve({ Items: [] });
    return call(
      service,
      operation,
      kindOf(operation, command.input),
      () => effect(cloud, operation, command.input as never),
      detailOf(operation, command.input),
    );
  };
  return Object.assign(Object.create(type.prototype) as C, { send });
};

const partitionOf = (input: Record<string, unknown>): string =>
  (input.ExpressionAttributeValues as Record<string, { S: string }>)[":partition"]?.S ?? "";

const detailOf = (operation: string, input: Record<string, unknown>): string => {
  switch (operation) {
    case "PutItem": {
      if (input.TableName === SNAPSHOTS_TABLE) return "a snapshot";
      const { pk, sk, body } = input.Item as Record<string, { S: string }>;
      return `${pk?.S}@${Number(sk?.S)} ${[...(body?.S ?? "").matchAll(/"type":"([A-Z]\w+)"/g)].map(([, type]) => type).join("+")}`;
    }
    case "Query":
      return String((input.ExpressionAttributeValues as Record<string, { S: string }>)[":stream"]?.S ?? "");
    case "UpdateAlias":
      return `${input.FunctionName} → ${input.FunctionVersion} ${input.Description}`;
    case "UpdateKeys":
      return [...(input.Puts as { Key: string }[]), ...(input.Deletes as { Key: string }[])].map(({ Key }) => Key).join(", ");
    default:
      return String(input.FunctionName ?? input.Key ?? input.id ?? "");
  }
};

type BackInput = { ScanIndexForward?: boolean; Limit?: number };
type TableInput = Record<string, Record<string, { S: string }>> & { TableName?: string; IndexName?: string };
const table: Effect = ({ events, snapshots }, operation, input: TableInput & BackInput) => {
  if (input.TableName === SNAPSHOTS_TABLE || input.RequestItems !== undefined) return snapshots.api[operation]?.(input as never);
  if (operation === "PutItem") return events.put(input.Item as never);
  if (operation === "GetItem") return { Item: events.get(input.Key?.pk?.S ?? "", Number(input.Key?.sk?.S)) };
  const values = input.ExpressionAttributeValues ?? {};
  if (values[":days"] !== undefined) return { Items: events.daysFrom(values[":since"]?.S ?? "") };
  if (input.IndexName !== undefined)
    return { Items: events.filed(values[":partition"]?.S ?? "", values[":since"]?.S ?? "", values[":until"]?.S ?? "") };
  const stream = values[":stream"]?.S ?? "";
  if (input.ScanIndexForward === false) return { Items: events.before(stream, Number(values[":before"]?.S), input.Limit) };
  return { Items: events.after(stream, Number(values[":after"]?.S)) };
};

type Sqs = {
  QueueUrl: string;
  MessageBody: string;
  ReceiptHandle: string;
  DelaySeconds?: number;
  VisibilityTimeout: number;
  MessageAttributes?: Record<string, { StringValue?: string }>;
};
const sqs: Effect = (
  { queues },
  operation,
  { QueueUrl, MessageBody, ReceiptHandle, DelaySeconds = 0, VisibilityTimeout, MessageAttributes }: Sqs,
) => {
  const dead = QueueUrl.endsWith("-dead");
  const queue = QueueUrl.slice("shiplog-".length).replace(/-dead$/, "");
  if (operation === "ChangeMessageVisibility") return queues.hide(ReceiptHandle, queue, VisibilityTimeout * 1_000);
  const about = queues.aboutOf(MessageBody);
  if (dead) return queues.lay(queue, { body: MessageBody, reason: MessageAttributes?.reason?.StringValue ?? "", about, at: 0 });
  return queues.send(queue, MessageBody, DelaySeconds * 1_000, about);
};

/** The SDK's clients of whichever world asks. */
export const simulatedClients = (of: () => Cloud) => ({
  dynamodb: clientOf(DynamoDBClient, "events", "ProvisionedThroughputExceededException", of, table),
  sqs: clientOf(SQSClient, "sqs", "ThrottlingException", of, sqs),
  eventBridge: clientOf(EventBridgeClient, "bus", "ThrottlingException", of, ({ bus }, _, { Entries }: PutEventsCommandInput) => ({
    Entries: (Entries ?? []).map((entry) => (bus.putEntry(entry) ? { EventId: "e" } : { ErrorCode: "InternalFailure" })),
  })),
  lambda: clientOf(LambdaClient, "lambda", "TooManyRequestsException", of, ({ lambda }, operation, input) =>
    lambda.api[operation]?.(input),
  ),
  keyValueStore: clientOf(CloudFrontKeyValueStoreClient, "edge table", "ThrottlingException", of, ({ edgeTable }, operation, input) =>
    edgeTable.api[operation]?.(input),
  ),
  s3: clientOf(S3Client, "s3", "SlowDown", of, ({ objects }, operation, input) => objects.api[operation]?.(input)),
  codeBuild: clientOf(CodeBuildClient, "codebuild", "ThrottlingException", of, ({ builds }, operation, input) =>
    builds.api[operation]?.(input),
  ),
  secrets: clientOf(SecretsManagerClient, "secrets", "ThrottlingException", of, ({ secrets }, operation, input) =>
    secrets[operation]?.(input),
  ),
});
