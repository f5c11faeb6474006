import { CreateTableCommand, type CreateTableCommandInput, type DynamoDBClient, ResourceInUseException } from "@aws-sdk/client-dynamodb";
import { CreateEventBusCommand, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, type KMSClient, NotFoundException } from "@aws-sdk/client-kms";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import {
  BUS,
  type Consumer,
  consumers,
  deadLetterName,
  deadLetterRetentionSeconds,
  EVENTS_TABLE,
  queueName,
  queueRetentionSeconds,
  ruleName,
  SEAL_KEY,
  VIEWS_TABLE,
  visibilitySeconds,
} from "../../infra/topology.ts";
import type { Clients } from "../../services/aws/clients.ts";

export const BUCKETS = {
  sources: "shiplog-sources",
  artifacts: "shiplog-artifacts",
  static: "shiplog-static",
  archive: "shiplog-archive",
} as const;

/** A queue as its poller needs it. */
export type QueueAt = { readonly url: string; readonly arn: string };

/** Makes what the engine itself lives on, through the same calls as anywhere. What is there already is left as it is. */
export const provisionEngine = async ({ dynamodb, sqs, eventBridge, s3, kms }: Clients): Promise<Map<string, QueueAt>> => {
  await Promise.all([
    createTable(dynamodb, {
      ...table(EVENTS_TABLE, [["log", "gsi1pk", "gsi1sk"]]),
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
    }),
    createTable(
      dynamodb,
      table(VIEWS_TABLE, [
        ["gsi1", "gsi1pk", "gsi1sk"],
        ["gsi2", "gsi2pk", "gsi2sk"],
      ]),
    ),
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
      // the consumer puts a message aside itself at maxReceives, with its reason; the queue does so where it crashed
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: consumer.maxReceives + 2 }),
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

export const createQueue = async (sqs: SQSClient, QueueName: string, Attributes: Record<string, string>): Promise<QueueAt> => {
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  const { Attributes: said = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  return { url: QueueUrl, arn: said.QueueArn ?? "" };
};

/** Tables of single-table design: string keys everywhere, whole items in every index. */
const table = (TableName: string, indexes: readonly (readonly [name: string, pk: string, sk: string])[]): CreateTableCommandInput => ({
  TableName,
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: ["pk", "sk", ...indexes.flatMap(([, pk, sk]) => [pk, sk])].map((AttributeName) => ({
    AttributeName,
    AttributeType: "S" as const,
  })),
  KeySchema: keys("pk", "sk"),
  GlobalSecondaryIndexes: indexes.map(([IndexName, pk, sk]) => ({
    IndexName,
    KeySchema: keys(pk, sk),
    Projection: { ProjectionType: "ALL" as const },
  })),
});
const keys = (pk: string, sk: string) => [
  { AttributeName: pk, KeyType: "HASH" as const },
  { AttributeName: sk, KeyType: "RANGE" as const },
];

export const createTable = async (client: DynamoDBClient, input: CreateTableCommandInput): Promise<void> => {
  try {
    await client.send(new CreateTableCommand(input));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
};

const THERE = [
  "BucketAlreadyOwnedByYou",
  "BucketAlreadyExists",
  "ResourceAlreadyExistsException",
  "ResourceConflictException",
  "ResourceExistsException",
];
/** Runs a creation; that the thing is there already is as good. Anything else is thrown. */
export const unlessThere = async (create: () => Promise<unknown>): Promise<boolean> => {
  try {
    await create();
    return true;
  } catch (error) {
    if (error instanceof Error && THERE.includes(error.name)) return false;
    throw error;
  }
};
