import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescribeTableCommand, DescribeTimeToLiveCommand, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { ListRulesCommand, ListTargetsByRuleCommand } from "@aws-sdk/client-eventbridge";
import {
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
} from "@aws-sdk/client-lambda";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, ListQueuesCommand } from "@aws-sdk/client-sqs";
import { BUS } from "../../../blueprint/topology.ts";
import { startAws } from "../../../local/aws.ts";
import { provisionEngine } from "../../../local/provision/engine-resources.ts";
import { provisionSite } from "../../../local/provision/site-resources.ts";
import { readSites } from "../../../local/sites.ts";
import type { Queue, World } from "./world.ts";

/**
 * `node local-world.ts <sites file> <file>` makes everything on this machine as `shiplog dev` does, asks the local AWS what
 * it has, and writes that: a process of its own, so that a changed copy of the project can be asked as well.
 */
const [sitesFile = "", file = ""] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "shiplog-world-"));
const aws = await startAws({ dataDir: folder, log: () => undefined });
try {
  await provisionEngine(aws.clients);
  for (const site of await readSites({ sitesFile }))
    for (const { name } of site.environments) await provisionSite(aws.clients, site, name, {}, false);
  await writeFile(file, JSON.stringify(await world()));
} finally {
  await aws.close();
  await rm(folder, { recursive: true, force: true });
}

async function world(): Promise<World> {
  const { dynamodb, s3, lambda } = aws.clients;
  const { TableNames = [] } = await dynamodb.send(new ListTablesCommand({}));
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  return {
    queues: await queues(),
    rules: { ...(await rules(BUS)), ...(await rules("default")) },
    tables: await byName(TableNames, table),
    buckets: Buckets.map(({ Name = "" }) => Name).sort(),
    siteFunctions: await byName(
      Functions.map(({ FunctionName = "" }) => FunctionName),
      siteFunction,
    ),
  };
}

async function byName<T>(names: readonly string[], describe: (name: string) => Promise<T>): Promise<Record<string, T>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await describe(name)] as const)));
}

async function queues(): Promise<Record<string, Queue>> {
  const { QueueUrls = [] } = await aws.clients.sqs.send(new ListQueuesCommand({ MaxResults: 1_000 }));
  return byName(
    QueueUrls.map((url) => url.slice(url.lastIndexOf("/") + 1)),
    async (name) => {
      const QueueUrl = QueueUrls.find((url) => url.endsWith(`/${name}`));
      const { Attributes = {} } = await aws.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
      const redrive = Attributes.RedrivePolicy === undefined ? undefined : JSON.parse(Attributes.RedrivePolicy);
      return {
        fifo: Attributes.FifoQueue === "true",
        visibilitySeconds: redrive === undefined ? null : Number(Attributes.VisibilityTimeout),
        retentionSeconds: Number(Attributes.MessageRetentionPeriod),
        deadLetters: redrive === undefined ? null : nameOf(redrive.deadLetterTargetArn),
        maxReceives: redrive === undefined ? null : Number(redrive.maxReceiveCount),
      };
    },
  );
}

async function rules(EventBusName: string): Promise<Record<string, unknown>> {
  const { eventBridge } = aws.clients;
  const { Rules = [] } = await eventBridge.send(new ListRulesCommand({ EventBusName }));
  return byName(
    Rules.map(({ Name = "" }) => Name),
    async (name) => {
      const rule = Rules.find(({ Name }) => Name === name);
      const { Targets = [] } = await eventBridge.send(new ListTargetsByRuleCommand({ Rule: name, EventBusName }));
      return {
        bus: EventBusName,
        enabled: rule?.State === "ENABLED",
        pattern: JSON.parse(rule?.EventPattern ?? "null"),
        targets: Targets.map(({ Arn = "", DeadLetterConfig }) => [nameOf(Arn), nameOf(DeadLetterConfig?.Arn ?? "")]),
      };
    },
  );
}

async function table(TableName: string): Promise<unknown> {
  const { Table = {} } = await aws.clients.dynamodb.send(new DescribeTableCommand({ TableName }));
  const { TimeToLiveDescription } = await aws.clients.dynamodb.send(new DescribeTimeToLiveCommand({ TableName }));
  const { AttributeDefinitions = [], KeySchema = [], GlobalSecondaryIndexes = [], StreamSpecification } = Table;
  const fields = (schema: typeof KeySchema) => schema.map(({ AttributeName }) => AttributeName);
  return {
    keys: Object.fromEntries(
      AttributeDefinitions.map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType === "N" ? "number" : "string"]),
    ),
    primary: fields(KeySchema),
    indexes: Object.fromEntries(
      GlobalSecondaryIndexes.map((index) => [index.IndexName, [...fields(index.KeySchema ?? []), index.Projection?.ProjectionType]]),
    ),
    stream: StreamSpecification?.StreamEnabled ? StreamSpecification.StreamViewType : null,
    expires: TimeToLiveDescription?.AttributeName ?? null,
  };
}

async function siteFunction(FunctionName: string): Promise<unknown> {
  const { lambda } = aws.clients;
  const { Runtime, MemorySize, Timeout } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const { Name, Description, AliasArn } = await lambda.send(new GetAliasCommand({ FunctionName, Name: "live" }));
  const url = await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName, Qualifier: "live" })).catch(() => undefined);
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}));
  return {
    runtime: Runtime,
    memoryMb: MemorySize,
    timeoutSeconds: Timeout,
    alias: [Name, Description],
    url: url?.InvokeMode,
    reads: EventSourceMappings.filter(({ FunctionArn }) => FunctionArn === AliasArn).map(({ EventSourceArn = "", BatchSize }) => [
      nameOf(EventSourceArn),
      BatchSize,
    ]),
  };
}

function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}
