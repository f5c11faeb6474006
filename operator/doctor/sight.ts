import { BatchGetProjectsCommand } from "@aws-sdk/client-codebuild";
import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { DescribeEventBusCommand, DescribeRuleCommand, ListTargetsByRuleCommand } from "@aws-sdk/client-eventbridge";
import { DescribeKeyCommand } from "@aws-sdk/client-kms";
import { paginateListEventSourceMappings } from "@aws-sdk/client-lambda";
import { HeadBucketCommand } from "@aws-sdk/client-s3";
import { DescribeSecretCommand } from "@aws-sdk/client-secrets-manager";
import type { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { GetQueueAttributesCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { eventsTable, snapshotsTable, viewsTable } from "../../blueprint/stores.ts";
import { SEAL_KEY } from "../../blueprint/topology.ts";
import { readKnown } from "../../domain/aggregates.ts";
import { environment as decider } from "../../domain/environment/decider.ts";
import type { Environment } from "../../domain/environment/state.ts";
import { fold } from "../../domain/kernel/decider.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { MAX_CLOCK_SKEW_MS, positionAt } from "../../domain/kernel/position.ts";
import { sealsIn } from "../../engine/archive/archive.ts";
import { keyChange } from "../../engine/archive/seal.ts";
import { kmsSigner } from "../../engine/archive/signer.ts";
import type { Clients } from "../../engine/aws/clients.ts";
import { unlessMissing } from "../../engine/aws/errors.ts";
import { lambdaFunctions } from "../../engine/aws/functions.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { eventsOf, itemCodec } from "../../engine/log/codec.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { aggregates as aggregatesOf, SNAPSHOT_EVERY } from "../../engine/log/execute.ts";
import { eventLog } from "../../engine/log/log.ts";
import { lastUsed } from "../../engine/log/memory.ts";
import { newestStreams, type Sampled, sampleTable } from "../../engine/log/sample-table.ts";
import { snapshotTable } from "../../engine/log/snapshots.ts";
import { tableRows } from "../../engine/log/table-rows.ts";
import { sealNotes } from "../../engine/views/seal-notes.ts";
import { storageNotes } from "../../engine/views/storage-notes.ts";
import { inspectQuotas } from "./quota-sight.ts";

/** "arn:…:queue", "arn:…:table/name/stream/…" → its name */
const nameOf = (arn: string): string => {
  const [, table] = /:table\/([^/]+)/.exec(arn) ?? [];
  return table ?? arn.slice(arn.lastIndexOf(":") + 1);
};

export type Sight = ReturnType<typeof inspectAccount>;

/**
 * Looks at an account (or the local endpoint) through its ordinary interfaces; nothing is changed. `undefined` and `false`
 * mean that it is not there; whatever else goes wrong is thrown.
 */
export const inspectAccount = (clients: Clients, serviceQuotas: ServiceQuotasClient) => {
  const { dynamodb, sqs, eventBridge, s3, kms, secrets, codeBuild, lambda } = clients;
  const functions = lambdaFunctions(lambda);
  const store = eventStore(dynamodb, eventsTable.name);
  const log = eventLog(dynamodb, eventsTable.name);
  const aggregates = aggregatesOf({
    store,
    snapshots: snapshotTable(dynamodb, snapshotsTable.name),
    every: SNAPSHOT_EVERY,
    memoryOf: () => lastUsed(1),
    clock: systemClock,
    log: () => undefined,
  });
  const notes = sealNotes(DynamoDBDocumentClient.from(dynamodb), viewsTable.name);
  const there = async (look: Promise<unknown>): Promise<boolean> => (await unlessMissing(look)) !== undefined;
  return {
    ...inspectQuotas(clients, serviceQuotas),
    table: async (TableName: string): Promise<{ status: string; stream: boolean } | undefined> => {
      const found = await unlessMissing(dynamodb.send(new DescribeTableCommand({ TableName })));
      return found && { status: found.Table?.TableStatus ?? "gone", stream: found.Table?.StreamSpecification?.StreamEnabled === true };
    },
    queue: async (QueueName: string): Promise<{ deadLetters: string | null; messages: number } | undefined> => {
      const named = await unlessMissing(sqs.send(new GetQueueUrlCommand({ QueueName })));
      if (named === undefined) return undefined;
      const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: named.QueueUrl, AttributeNames: ["All"] }));
      const { RedrivePolicy, ApproximateNumberOfMessages = "0", ApproximateNumberOfMessagesNotVisible = "0" } = Attributes;
      return {
        deadLetters:
          RedrivePolicy === undefined ? null : nameOf((JSON.parse(RedrivePolicy) as { deadLetterTargetArn: string }).deadLetterTargetArn),
        messages: Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible),
      };
    },
    rule: async (EventBusName: string, Name: string): Promise<{ enabled: boolean; targets: readonly string[] } | undefined> => {
      const rule = await unlessMissing(eventBridge.send(new DescribeRuleCommand({ Name, EventBusName })));
      if (rule === undefined) return undefined;
      const { Targets = [] } = await eventBridge.send(new ListTargetsByRuleCommand({ Rule: Name, EventBusName }));
      return { enabled: rule.State === "ENABLED", targets: Targets.map(({ Arn = "" }) => nameOf(Arn)) };
    },
    bus: (Name: string) => there(eventBridge.send(new DescribeEventBusCommand({ Name }))),
    bucket: (Bucket: string) => there(s3.send(new HeadBucketCommand({ Bucket }))),
    key: (KeyId: string) => there(kms.send(new DescribeKeyCommand({ KeyId }))),
    secret: (SecretId: string) => there(secrets.send(new DescribeSecretCommand({ SecretId }))),
    project: async (name: string) => (await codeBuild.send(new BatchGetProjectsCommand({ names: [name] }))).projects?.length === 1,
    fn: (name: string, qualifier?: string) => functions.get(name, qualifier),
    alias: functions.alias,
    /** What feeds a function (or its alias, as `name:alias`): names of queues and tables. */
    mappings: async (FunctionName: string): Promise<{ id: string; source: string; enabled: boolean }[]> => {
      const found: { id: string; source: string; enabled: boolean }[] = [];
      for await (const { EventSourceMappings = [] } of paginateListEventSourceMappings({ client: lambda }, { FunctionName }))
        for (const { UUID = "", EventSourceArn = "", State = "" } of EventSourceMappings)
          found.push({
            id: UUID,
            source: nameOf(EventSourceArn),
            enabled: ["Enabled", "Enabling", "Creating", "Updating"].includes(State),
          });
      return found;
    },
    codeStorage: functions.codeStorage,
    codeStorageSamples: async () =>
      (await unlessMissing(storageNotes(DynamoDBDocumentClient.from(dynamodb), viewsTable.name).codeStorageSamples())) ?? [],
    /** Position of the log's last commit, where that lies ahead of this clock. */
    logAhead: async (now: number): Promise<string | undefined> => log.lastAfter(positionAt(now + MAX_CLOCK_SKEW_MS)),
    /** Streams that have commits in no seal; `undefined` where nothing was ever sealed. */
    unsealed: async (): Promise<number | undefined> =>
      (await notes.sealsNoted()) === undefined ? undefined : (await notes.unsealedStreams()).length,
    /** Says that the last seal was signed by another key than the one that would sign the next; `undefined` where it was not. */
    sealKeyChange: async (archive: string): Promise<string | undefined> => {
      const number = await notes.sealsNoted();
      if (!number) return undefined;
      return keyChange(await sealsIn(s3Objects(s3, systemClock), archive).seal(number), number, await kmsSigner(kms, SEAL_KEY).keyName());
    },
    /** Some streams of the event table, checked: as many and as much of each as ever, however long the log. */
    sample: (random: () => number): Promise<Sampled> =>
      sampleTable({
        rows: tableRows(dynamodb, eventsTable.name),
        newest: newestStreams(dynamodb, eventsTable.name),
        sealedHead: notes.sealedHead,
        itemOf: itemCodec(eventsTable.name),
        random,
      }),
    /** An environment as the log has it. */
    environment: async (site: string, name: string): Promise<Environment> => {
      try {
        return (await aggregates.environment.load(site, name)).state;
      } catch {
        // where snapshots cannot be read, or a newer engine has written what this one does not know, the log itself says it
        const events = (await store.read(environmentStream(site, name), 0)).flatMap(eventsOf);
        return fold(decider, readKnown("environment", events));
      }
    },
  };
};
