import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateEventBusCommand, PutEventsCommand, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { eventsTable, snapshotsTable, viewsTable } from "../../../blueprint/stores.ts";
import {
  BUS,
  type Consumer,
  consumers,
  deadLetterName,
  queueMaxReceives,
  queueName,
  ruleName,
  visibilitySeconds,
} from "../../../blueprint/topology.ts";
import { awsClients, type Clients } from "../../../engine/aws/clients.ts";
import { type AccessKey, startEndpoint } from "../../../local/endpoint/endpoint.ts";
import { createQueue } from "../../../local/provision/engine-resources.ts";
import { createTable } from "../../../local/provision/table.ts";
import { ANY_KEY } from "../../support/any-key.ts";
import { startMoto } from "./moto.ts";

const STATE_CHANGE = "CodeBuild Build State Change";
export const BUCKET = "shiplog-conformance";

/** A world that speaks AWS's protocols, with the engine's tables, queues and rules, and nothing in them. */
export type AwsWorld = {
  readonly clients: Clients;
  /** CodeBuild says something on the default bus: AWS takes events of its own services from nobody else */
  codeBuildSays(detail: object): Promise<unknown>;
  close(): Promise<void>;
};

export const worlds: Readonly<Record<string, () => Promise<AwsWorld | { missing: string }>>> = {
  "the local AWS": async () => {
    const folder = await mkdtemp(join(tmpdir(), "shiplog-conformance-"));
    const endpoint = await startEndpoint({ dataDir: folder });
    const clients = await provisioned(endpoint.url, endpoint.credentials);
    return {
      clients,
      codeBuildSays: async (detail) => endpoint.emit({ source: "aws.codebuild", detailType: STATE_CHANGE, detail }),
      close: async () => {
        clients.destroy();
        await endpoint.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
  moto: async () => {
    const moto = await startMoto();
    if (moto === undefined) return { missing: "moto_server is not installed" };
    const clients = await provisioned(moto.url, ANY_KEY);
    return {
      clients,
      codeBuildSays: (detail) =>
        clients.eventBridge.send(
          new PutEventsCommand({ Entries: [{ Source: "aws.codebuild", DetailType: STATE_CHANGE, Detail: JSON.stringify(detail) }] }),
        ),
      close: async () => {
        clients.destroy();
        await moto.close();
      },
    };
  },
};

const provisioned = async (endpoint: string, credentials: AccessKey): Promise<Clients> => {
  // a bucket of us-east-1 needs no place
  const clients = awsClients({ region: "us-east-1", endpoint, credentials });
  await createTable(clients.dynamodb, eventsTable);
  await createTable(clients.dynamodb, viewsTable);
  await createTable(clients.dynamodb, snapshotsTable);
  await clients.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await clients.eventBridge.send(new CreateEventBusCommand({ Name: BUS }));
  for (const consumer of consumers as readonly Consumer[]) {
    const dead = await createQueue(clients.sqs, deadLetterName(consumer.name), {});
    const queue = await createQueue(clients.sqs, queueName(consumer.name), {
      VisibilityTimeout: String(visibilitySeconds(consumer)),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: queueMaxReceives(consumer) }),
    });
    if (consumer.pattern === null) continue;
    const EventBusName = consumer.bus === "engine" ? BUS : "default";
    const Rule = ruleName(consumer.name);
    await clients.eventBridge.send(new PutRuleCommand({ Name: Rule, EventBusName, EventPattern: JSON.stringify(consumer.pattern) }));
    await clients.eventBridge.send(new PutTargetsCommand({ Rule, EventBusName, Targets: [{ Id: "queue", Arn: queue.arn }] }));
  }
  return clients;
};
