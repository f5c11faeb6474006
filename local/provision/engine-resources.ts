import { CreateEventBusCommand, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, type KMSClient, NotFoundException } from "@aws-sdk/client-kms";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { EngineConfig } from "../../blueprint/engine-config.ts";
import { type BucketKey, buckets, eventsTable, peopleTable, snapshotsTable, viewsTable } from "../../blueprint/stores.ts";
import {
  BUS,
  type Consumer,
  consumers,
  deadLetterName,
  deadLetterRetentionSeconds,
  queueMaxReceives,
  queueName,
  queueRetentionSeconds,
  ruleName,
  SEAL_KEY,
  visibilitySeconds,
} from "../../blueprint/topology.ts";
import type { Clients } from "../../engine/aws/clients.ts";
import { REGION } from "../http.ts";
import { createTable } from "./table.ts";
import { unlessThere } from "./unless-there.ts";

/** The buckets' names: here they belong to one machine, and carry no account and region. */
export const BUCKETS = Object.fromEntries(Object.entries(buckets).map(([key, { name }]) => [key, name])) as Record<BucketKey, string>;

/** What the engine is told of where it is: the same on every machine. */
export const localNames = {
  region: REGION,
  eventsTable: eventsTable.name,
  viewsTable: viewsTable.name,
  snapshotsTable: snapshotsTable.name,
  peopleTable: peopleTable.name,
  bus: BUS,
  buckets: BUCKETS,
  sealKey: SEAL_KEY,
} as const satisfies Partial<EngineConfig>;

/** A queue as its poller needs it. */
export type QueueAt = { readonly url: string; readonly arn: string };

/** Makes what the engine itself lives on, through the same calls as anywhere. What is there already is left as it is. */
export const provisionEngine = async ({ dynamodb, sqs, eventBridge, s3, kms }: Clients): Promise<Map<string, QueueAt>> => {
  await Promise.all([
    createTable(dynamodb, eventsTable),
    createTable(dynamodb, viewsTable),
    createTable(dynamodb, snapshotsTable),
    createTable(dynamodb, peopleTable),
    ...Object.values(BUCKETS).map((Bucket) => unlessThere(() => s3.send(new CreateBucketCommand({ Bucket })))),
    sealKey(kms),
    unlessThere(() => eventBridge.send(new CreateEventBusCommand({ Name: BUS }))),
  ]);
  const made = new Map<string, QueueAt>();
  for (const consumer of consumers as readonly Consumer[]) {
    const dead = await createQueue(sqs, deadLetterName(consumer.name), { MessageRetentionPeriod: String(deadLetterRetentionSeconds) });
    const queue = await createQueue(sqs, queueName(consumer.name), {
      VisibilityTimeout: String(visibilitySeconds(consumer)),
      MessageRetentionPeriod: String(queueRetentionSeconds),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: queueMaxReceives(consumer) }),
    });
    made.set(consumer.name, queue);
    if (consumer.pattern === null) continue;
    const EventBusName = consumer.bus === "engine" ? BUS : "default";
    await eventBridge.send(
      new PutRuleCommand({ Name: ruleName(consumer.name), EventBusName, EventPattern: JSON.stringify(consumer.pattern), State: "ENABLED" }),
    );
    await eventBridge.send(
      new PutTargetsCommand({
        Rule: ruleName(consumer.name),
        EventBusName,
        Targets: [{ Id: "queue", Arn: queue.arn, DeadLetterConfig: { Arn: dead.arn } }],
      }),
    );
  }
  return made;
};

/** The key that seals are signed with, behind an alias; one that is there is kept. */
const sealKey = async (kms: KMSClient): Promise<void> => {
  try {
    await kms.send(new DescribeKeyCommand({ KeyId: SEAL_KEY }));
  } catch (error) {
    if (!(error instanceof NotFoundException)) throw error;
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" }));
    await kms.send(new CreateAliasCommand({ AliasName: SEAL_KEY, TargetKeyId: KeyMetadata?.KeyId }));
  }
};

/** A queue with these attributes. One that an earlier release made with others gets them, and keeps its messages. */
export const createQueue = async (sqs: SQSClient, QueueName: string, Attributes: Record<string, string>): Promise<QueueAt> => {
  const QueueUrl = await queueUrl(sqs, QueueName, Attributes);
  const { Attributes: attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  return { url: QueueUrl, arn: attributes.QueueArn ?? "" };
};

const queueUrl = async (sqs: SQSClient, QueueName: string, Attributes: Record<string, string>): Promise<string> => {
  try {
    return (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? "";
  } catch (error) {
    if (!isOtherwise(error)) throw error;
    const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
    // whether it is a FIFO queue is for ever
    const { FifoQueue: _, ...changeable } = Attributes;
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: changeable }));
    return QueueUrl;
  }
};

/** SQS has a queue of that name with other attributes; the query protocol's name of it is longer. */
const isOtherwise = (error: unknown): boolean => error instanceof Error && error.name.endsWith("QueueNameExists");
