import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { SessionView } from "../../domain/projections/session-view.ts";
import type { DeploymentView, EnvironmentView } from "../../domain/projections/views.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { deploymentRows, type Listed, type Newest, type Wanted } from "./deployment-rows.ts";
import { generationRows } from "./generations.ts";
import { type Consistency, modelRows } from "./model-rows.ts";
import { plainRows } from "./plain-rows.ts";
import { type ViewName, viewNames } from "./read-models.ts";
import type { ReadStream } from "./row-shape.ts";
import { sessionRows } from "./session-rows.ts";
import { waypointNotes } from "./waypoint-notes.ts";
import { webhookRows } from "./webhook-rows.ts";

export type Views = ReturnType<typeof viewsTable>;

/**
 * The table of views, whole: read models in generations, which can be made again from the log, beside its plain rows.
 *
 * @param read of the event store: a row that another engine wrote in another shape is folded anew from its stream
 */
export const viewsTable = (dynamodb: DynamoDBClient, table: string, read: ReadStream) => {
  const client = DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } });
  const pointer = generationRows(client, table);
  const plain = Object.fromEntries(viewNames.map((name) => [name, modelRows(client, table, read, name)])) as unknown as {
    readonly [K in ViewName]: ReturnType<typeof modelRows<K>>;
  };
  const deployments = deploymentRows(client, table, read);
  const webhooks = webhookRows(client, table, read);
  const sessions = sessionRows(client, table, read);
  /** The rows of one generation: of every read model by its key, of some by more. */
  const rows = (generation: number) => ({
    ...(Object.fromEntries(viewNames.map((name) => [name, plain[name](generation)])) as unknown as {
      readonly [K in ViewName]: ReturnType<ReturnType<typeof modelRows<K>>>;
    }),
    deployments: deployments(generation),
    webhooks: webhooks(generation),
    sessions: sessions(generation),
  });
  type Rows = ReturnType<typeof rows>;
  /** The rows that count now. */
  const live = async <K extends ViewName>(view: K): Promise<Rows[K]> => rows((await pointer.generations()).live[view])[view];

  return {
    ...plainRows(dynamodb, table),
    ...waypointNotes(client, table),
    ...pointer,
    rows,
    /** `undefined` where it was never projected. */
    deployment: async (id: string): Promise<DeploymentView | undefined> => (await live("deployments")).current(deploymentStream(id)),
    environment: async (site: string, environment: string, options?: Consistency): Promise<EnvironmentView | undefined> =>
      (await live("environments")).current(environmentStream(site, environment), options),
    /** Rows of these environments, without those that were never projected. */
    environments: async (places: readonly { readonly site: string; readonly environment: string }[]): Promise<EnvironmentView[]> =>
      (await live("environments")).many(places.map(({ site, environment }) => environmentStream(site, environment))),
    /** Those of these whole ids that there are. */
    deploymentsOf: async (ids: readonly string[]): Promise<DeploymentView[]> => (await live("deployments")).many(ids.map(deploymentStream)),
    /** The newest that fit, of whatever place. @param before only those with a lower id */
    newestDeployments: async (limit: number, fits: (view: DeploymentView) => boolean, wanted?: Newest): Promise<Listed> =>
      (await live("deployments")).newest(limit, fits, wanted),
    /** Of one place, newest first. */
    deployments: async (wanted: Wanted): Promise<Listed> => (await live("deployments")).list(wanted),
    /** Those that have not ended. */
    active: async (): Promise<DeploymentView[]> => (await live("deployments")).active(),
    /** Those whose id begins so, at most ten. */
    findDeployments: async (prefix: string): Promise<DeploymentView[]> => (await live("deployments")).find(prefix),
    /** Endpoints that were not removed, oldest first. */
    webhooks: async (): Promise<WebhookView[]> => (await live("webhooks")).list(),
    /** Sessions that go on, newest first. @param now ISO 8601 in UTC */
    sessions: async (now: string): Promise<SessionView[]> => (await live("sessions")).open(now),
  };
};
