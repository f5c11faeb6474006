import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { DeploymentView, EnvironmentView, Status } from "../../domain/projections/views.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { conditionalWrite } from "../aws/conditional-write.ts";
import { deliveryRows } from "../webhooks/delivery-rows.ts";
import { begunNotes } from "./begun-notes.ts";
import { deploymentRows } from "./deployment-rows.ts";
import { generationRows } from "./generations.ts";
import { leaseRows } from "./lease-rows.ts";
import { modelRows } from "./model-rows.ts";
import { noteRow } from "./notes.ts";
import { type ViewName, viewNames } from "./read-models.ts";
import type { ReadStream } from "./row-shape.ts";
import { sealNotes } from "./seal-notes.ts";
import { unsettledNotes } from "./unsettled-notes.ts";
import { waitingRows } from "./waiting-rows.ts";
import { webhookRows } from "./webhook-rows.ts";

export type Views = ReturnType<typeof viewsTable>;

/**
 * The table of views: read models in generations, which can be made again from the log, and rows that are no read models
 * (notes, leases, deliveries), which cannot.
 *
 * @param read of the event store: a row that another engine wrote in another shape is folded anew from its stream
 */
export const viewsTable = (dynamodb: DynamoDBClient, table: string, read: ReadStream) => {
  const client = DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } });
  const notes = noteRow(client, table);
  const pointer = generationRows(client, table);
  const plain = Object.fromEntries(viewNames.map((name) => [name, modelRows(client, table, read, name)])) as unknown as {
    readonly [K in ViewName]: ReturnType<typeof modelRows<K>>;
  };
  const deployments = deploymentRows(client, table, read);
  const webhooks = webhookRows(client, table, read);
  /** The rows of one generation: of every read model by its key, of some by more. */
  const rows = (generation: number) => ({
    ...(Object.fromEntries(viewNames.map((name) => [name, plain[name](generation)])) as unknown as {
      readonly [K in ViewName]: ReturnType<ReturnType<typeof modelRows<K>>>;
    }),
    deployments: deployments(generation),
    webhooks: webhooks(generation),
  });
  type Rows = ReturnType<typeof rows>;
  /** The rows that count now. */
  const live = async <K extends ViewName>(view: K): Promise<Rows[K]> => rows((await pointer.generations()).live[view])[view];

  return {
    ...deliveryRows(client, table),
    ...begunNotes(client, table),
    ...leaseRows(client, table),
    ...pointer,
    ...sealNotes(client, table),
    ...unsettledNotes(client, table),
    ...waitingRows(client, table),
    rows,
    /** `undefined` where it was never projected. */
    deployment: async (id: string): Promise<DeploymentView | undefined> => (await live("deployments")).current(deploymentStream(id)),
    environment: async (site: string, environment: string): Promise<EnvironmentView | undefined> =>
      (await live("environments")).current(environmentStream(site, environment)),
    /** Newest first. */
    deployments: async (wanted: {
      site: string;
      environment: string;
      status?: Status | undefined;
      limit: number;
    }): Promise<DeploymentView[]> => (await live("deployments")).list(wanted),
    /** Those that have not ended. */
    active: async (): Promise<DeploymentView[]> => (await live("deployments")).active(),
    /** Those whose id begins so, at most ten. */
    findDeployments: async (prefix: string): Promise<DeploymentView[]> => (await live("deployments")).find(prefix),
    /** Endpoints that were not removed, oldest first. */
    webhooks: async (): Promise<WebhookView[]> => (await live("webhooks")).list(),

    /** The last commit of a stream that is known to be on the bus; 0 where none is. */
    relayed: async (stream: string): Promise<number> => {
      const { data } = await notes.get({ about: stream, kind: "relayed" }).go({ consistent: true });
      return data?.number ?? 0;
    },
    setRelayed: (stream: string, version: number): Promise<boolean> =>
      conditionalWrite(
        notes
          .put({ about: stream, kind: "relayed", value: "", number: version })
          .where(({ number }, { notExists, lt }) => `${notExists(number)} OR ${lt(number, version)}`)
          .go(),
      ),
    /** Until when (milliseconds since 1970) the mender knows the whole log to be on the bus; 0 where it never looked. */
    mended: async (): Promise<number> => {
      const { data } = await notes.get({ about: "log", kind: "relayed" }).go({ consistent: true });
      return data?.number ?? 0;
    },
    /** Also back: a clock that was ahead is right again. */
    setMended: async (time: number): Promise<void> => {
      await notes.put({ about: "log", kind: "relayed", value: "", number: time }).go();
    },
    /**
     * Takes a caller's key for one request, named by its digest; `false` where the key was taken for another one. Kept for
     * good: a key that was ever used never means anything else.
     */
    claimKey: async (key: string, digest: string): Promise<boolean> => {
      const taken = notes.put({ about: `key/${key}`, kind: "request", value: digest });
      if (await conditionalWrite(taken.where(({ value }, { notExists }) => notExists(value)).go())) return true;
      const { data } = await notes.get({ about: `key/${key}`, kind: "request" }).go({ consistent: true });
      return data?.value === digest;
    },
    /** How far a long step has come: not history, only the last word. */
    progress: async (deploymentId: string): Promise<{ step: string; done: number; total: number } | undefined> => {
      const { data } = await notes.get({ about: deploymentId, kind: "progress" }).go();
      return data ? (JSON.parse(data.value) as { step: string; done: number; total: number }) : undefined;
    },
    setProgress: async (deploymentId: string, progress: { step: string; done: number; total: number }): Promise<void> => {
      await notes.put({ about: deploymentId, kind: "progress", value: JSON.stringify(progress) }).go();
    },
  };
};
