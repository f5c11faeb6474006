import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { type DeploymentView, type EnvironmentView, isEnd, type Status } from "../../domain/projections/views.ts";
import { deliveryRows } from "./delivery-rows.ts";
import { ifNewer } from "./if-newer.ts";
import { webhookRows } from "./webhook-rows.ts";

/** The table of read models. Everything in it can be made again from the log, so its rows may change their shape. */
const none = { casing: "none" } as const;

const deploymentRow = (client: DynamoDBDocumentClient, table: string) =>
  new Entity(
    {
      model: { service: "shiplog", entity: "deployment", version: "1" },
      attributes: {
        id: { type: "string", required: true },
        place: { type: "string", required: true },
        order: { type: "string", required: true },
        /** "active" until it has ended: what the reconciler looks at */
        activity: { type: "string", required: true },
        version: { type: "number", required: true },
        view: { type: "string", required: true },
      },
      indexes: {
        row: { pk: { field: "pk", composite: ["id"], ...none }, sk: { field: "sk", composite: [], ...none } },
        byPlace: {
          index: "gsi1",
          pk: { field: "gsi1pk", composite: ["place"], ...none },
          sk: { field: "gsi1sk", composite: ["order"], ...none },
        },
        byActivity: {
          index: "gsi2",
          pk: { field: "gsi2pk", composite: ["activity"], ...none },
          sk: { field: "gsi2sk", composite: ["id"], ...none },
        },
      },
    },
    { client, table },
  );

const environmentRow = (client: DynamoDBDocumentClient, table: string) =>
  new Entity(
    {
      model: { service: "shiplog", entity: "environment", version: "1" },
      attributes: {
        place: { type: "string", required: true },
        version: { type: "number", required: true },
        view: { type: "string", required: true },
      },
      indexes: { row: { pk: { field: "pk", composite: ["place"], ...none }, sk: { field: "sk", composite: [], ...none } } },
    },
    { client, table },
  );

const noteRow = (client: DynamoDBDocumentClient, table: string) =>
  new Entity(
    {
      model: { service: "shiplog", entity: "note", version: "1" },
      attributes: {
        about: { type: "string", required: true },
        kind: { type: "string", required: true },
        value: { type: "string", required: true },
        number: { type: "number" },
      },
      indexes: { row: { pk: { field: "pk", composite: ["about"], ...none }, sk: { field: "sk", composite: ["kind"], ...none } } },
    },
    { client, table },
  );

export type Views = ReturnType<typeof viewsTable>;

export const viewsTable = (dynamodb: DynamoDBClient, table: string) => {
  const client = DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } });
  const deployments = deploymentRow(client, table);
  const environments = environmentRow(client, table);
  const notes = noteRow(client, table);
  const place = (site: string, environment: string): string => `${site}/${environment}`;

  return {
    ...webhookRows(client, table),
    ...deliveryRows(client, table),
    /** `undefined` where it was never projected. */
    deployment: async (id: string): Promise<DeploymentView | undefined> => {
      const { data } = await deployments.get({ id }).go({ consistent: true });
      return data ? (JSON.parse(data.view) as DeploymentView) : undefined;
    },
    environment: async (site: string, environment: string): Promise<EnvironmentView | undefined> => {
      const { data } = await environments.get({ place: place(site, environment) }).go({ consistent: true });
      return data ? (JSON.parse(data.view) as EnvironmentView) : undefined;
    },
    /** Newest first. */
    deployments: async ({
      site,
      environment,
      status,
      limit,
    }: {
      site: string;
      environment: string;
      status?: Status | undefined;
      limit: number;
    }): Promise<DeploymentView[]> => {
      const found: DeploymentView[] = [];
      let cursor: string | null = null;
      do {
        const page: { data: { view: string }[]; cursor: string | null } = await deployments.query
          .byPlace({ place: place(site, environment) })
          .go({ order: "desc", cursor, limit: Math.max(limit, 25) });
        for (const { view } of page.data) {
          const row = JSON.parse(view) as DeploymentView;
          if (status === undefined || row.status === status) found.push(row);
        }
        cursor = page.cursor;
      } while (cursor !== null && found.length < limit);
      return found.slice(0, limit);
    },
    /** Those that have not ended. */
    active: async (): Promise<DeploymentView[]> => {
      const { data } = await deployments.query.byActivity({ activity: "active" }).go({ pages: "all" });
      return data.map(({ view }) => JSON.parse(view) as DeploymentView);
    },
    /** Those whose id begins so, at most ten. */
    findDeployments: async (prefix: string): Promise<DeploymentView[]> => {
      const found = await Promise.all(
        ["active", "ended"].map((activity) => deployments.query.byActivity({ activity }).begins({ id: prefix }).go({ limit: 10 })),
      );
      return found.flatMap(({ data }) => data.map(({ view }) => JSON.parse(view) as DeploymentView)).slice(0, 10);
    },

    /** Writes a row if nobody wrote a newer one; `false` where somebody did. */
    putDeployment: (view: DeploymentView): Promise<boolean> =>
      ifNewer(
        deployments
          .put({
            id: view.id,
            place: place(view.site, view.environment),
            order: view.sequence.toString().padStart(10, "0"),
            activity: isEnd(view.status) ? "ended" : "active",
            version: view.version,
            view: JSON.stringify(view),
          })
          .where(({ version }, { notExists, lt }) => `${notExists(version)} OR ${lt(version, view.version)}`)
          .go(),
      ),
    putEnvironment: (view: EnvironmentView): Promise<boolean> =>
      ifNewer(
        environments
          .put({ place: place(view.site, view.environment), version: view.version, view: JSON.stringify(view) })
          .where(({ version }, { notExists, lt }) => `${notExists(version)} OR ${lt(version, view.version)}`)
          .go(),
      ),

    /** The last commit of a stream that is known to be on the bus; 0 where none is. */
    relayed: async (stream: string): Promise<number> => {
      const { data } = await notes.get({ about: stream, kind: "relayed" }).go({ consistent: true });
      return data?.number ?? 0;
    },
    setRelayed: (stream: string, version: number): Promise<boolean> =>
      ifNewer(
        notes
          .put({ about: stream, kind: "relayed", value: "", number: version })
          .where(({ number }, { notExists, lt }) => `${notExists(number)} OR ${lt(number, version)}`)
          .go(),
      ),
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
