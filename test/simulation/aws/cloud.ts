import { ResourceExistsException, ResourceNotFoundException } from "@aws-sdk/client-secrets-manager";
import { ACTIONS_KEY, siteResources } from "../../../blueprint/site-resources.ts";
import type { World } from "../world/world.ts";
import { type Build, type Builds, buildsOf } from "./builds.ts";
import { type Bus, busOf } from "./bus.ts";
import { type EdgeTable, edgeTableOf } from "./edge-table.ts";
import { type EventTable, eventTable, type Stored } from "./event-table.ts";
import { type Lambda, lambdaOf, type Watch } from "./lambda.ts";
import { type Objects, objectsOf } from "./objects.ts";
import { type Queues, queuesOf } from "./queues.ts";
import { type Rows, rowsOf } from "./rows.ts";
import { snapshotsOf } from "./snapshots.ts";

/** Begins every secret value of the simulation: it may be in no event, message, log line or error. */
const SECRET = "s3cr3t-";
const ENCODED = Buffer.from(SECRET).toString("base64").slice(0, 8);
export const holdsSecret = (text: string): boolean => text.includes(SECRET) || text.includes(ENCODED);
export const secretUrl = (name: string): string => `https://hooks.example.com/${SECRET}${name}`;

/** Everything of AWS that one world has. */
export type Cloud = {
  readonly world: World;
  readonly events: EventTable;
  readonly snapshots: ReturnType<typeof snapshotsOf>;
  readonly rows: Rows;
  readonly queues: Queues;
  readonly bus: Bus;
  readonly lambda: Lambda;
  readonly edgeTable: EdgeTable;
  readonly objects: Objects;
  readonly builds: Builds;
  /** releases that have rows in tables of tags */
  readonly tagged: Set<string>;
  /** settings by the name that a release records them with */
  readonly settings: Map<string, string>;
  readonly secrets: Readonly<Record<string, (input: never) => unknown>>;
  /** the URL and signing secrets of each endpoint, by the secret's name */
  readonly webhookSecrets: ReadonlyMap<string, string>;
  /** what a consumer or the API logs */
  said(line: Readonly<Record<string, unknown>>): void;
  /** a webhook's receiver got this */
  received(delivery: string, body: string): void;
  /** the prefix and 26 characters, never twice */
  newId(prefix: string): string;
  newSigningSecret(): string;
};

export type CloudWatch = Watch & {
  objectRemoved(bucket: string, key: string): void;
  rowWritten(key: string, before: string | undefined, after: string | undefined): void;
  appended(stored: Stored): void;
  arrived(queue: string): void;
  buildStarted(build: Build): void;
  said(line: Readonly<Record<string, unknown>>): void;
  received(delivery: string, body: string): void;
};

export const cloudOf = (
  world: World,
  places: readonly { site: string; environment: string }[],
  settings: Map<string, string>,
  watch: CloudWatch,
): Cloud => {
  const objects = objectsOf(world, watch.objectRemoved);
  const queues = queuesOf(world, watch.arrived);
  const bus = busOf(world, queues);
  const lambda = lambdaOf(world, objects, watch);
  for (const { site, environment } of places)
    for (const name of Object.values(siteResources(site, environment).functions)) lambda.create(name);
  const webhookSecrets = new Map<string, string>();
  let ids = 0;
  return {
    world,
    events: eventTable(world, watch.appended),
    snapshots: snapshotsOf(world),
    rows: rowsOf(world),
    queues,
    bus,
    lambda,
    edgeTable: edgeTableOf(world, watch.rowWritten),
    objects,
    builds: buildsOf(world, objects, bus.say, watch.buildStarted),
    tagged: new Set(),
    settings,
    webhookSecrets,
    said: watch.said,
    received: watch.received,
    newId: (prefix) => `${prefix}${(++ids).toString().padStart(26, "0")}`,
    newSigningSecret: () => `whsec_${Buffer.from(`${SECRET}${(++ids).toString().padStart(24, "0")}`).toString("base64")}`,
    secrets: {
      GetSecretValue: ({ SecretId }: { SecretId: string }) => {
        if (!SecretId.startsWith("shiplog/webhooks/"))
          return {
            SecretString: JSON.stringify({ [ACTIONS_KEY]: `${SECRET}actions`, API_KEY: `${SECRET}of-${SecretId}` }),
            VersionId: "1",
          };
        const SecretString = webhookSecrets.get(SecretId);
        if (SecretString === undefined) throw new ResourceNotFoundException({ $metadata: {}, message: "there is none" });
        return { SecretString };
      },
      CreateSecret: ({ Name, SecretString }: { Name: string; SecretString: string }) => {
        if (webhookSecrets.has(Name)) throw new ResourceExistsException({ $metadata: {}, message: "there is one" });
        webhookSecrets.set(Name, SecretString);
      },
      PutSecretValue: ({ SecretId, SecretString }: { SecretId: string; SecretString: string }) =>
        void webhookSecrets.set(SecretId, SecretString),
      DeleteSecret: ({ SecretId }: { SecretId: string }) => void webhookSecrets.delete(SecretId),
    },
  };
};
