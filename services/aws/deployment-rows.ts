import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import { type DeploymentView, isEnd, type Status } from "../../domain/projections/views.ts";
import { inGeneration } from "./generations.ts";
import { ifNewer } from "./if-newer.ts";

const none = { casing: "none" } as const;

export const deploymentRow = (client: DynamoDBDocumentClient, table: string) =>
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

/** The attributes of a row. */
export const deploymentAttributes = (generation: number, view: DeploymentView) => ({
  id: inGeneration(generation, view.id),
  place: inGeneration(generation, `${view.site}/${view.environment}`),
  order: view.sequence.toString().padStart(10, "0"),
  activity: inGeneration(generation, isEnd(view.status) ? ENDED : ACTIVE),
  version: view.version,
  view: JSON.stringify(view),
});

const ACTIVE = "active";
const ENDED = "ended";

/** The read model of deployments, in one generation of the table of views. */
export const deploymentRows = (client: DynamoDBDocumentClient, table: string) => {
  const deployments = deploymentRow(client, table);
  return (generation: number) => ({
    /** `undefined` where it was never projected. */
    get: async (stream: string): Promise<DeploymentView | undefined> => {
      const { data } = await deployments.get({ id: inGeneration(generation, deploymentOf(stream)) }).go({ consistent: true });
      return data ? (JSON.parse(data.view) as DeploymentView) : undefined;
    },
    /** Writes a row if nobody wrote a newer one; `false` where somebody did. */
    put: (view: DeploymentView): Promise<boolean> =>
      ifNewer(
        deployments
          .put(deploymentAttributes(generation, view))
          .where(({ version }, { notExists, lt }) => `${notExists(version)} OR ${lt(version, view.version)}`)
          .go(),
      ),
    /** Newest first. */
    list: async ({
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
          .byPlace({ place: inGeneration(generation, `${site}/${environment}`) })
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
      const { data } = await deployments.query.byActivity({ activity: inGeneration(generation, ACTIVE) }).go({ pages: "all" });
      return data.map(({ view }) => JSON.parse(view) as DeploymentView);
    },
    /** Those whose id begins so, at most ten. */
    find: async (prefix: string): Promise<DeploymentView[]> => {
      const found = await Promise.all(
        [ACTIVE, ENDED].map((activity) =>
          deployments.query
            .byActivity({ activity: inGeneration(generation, activity) })
            .begins({ id: inGeneration(generation, prefix) })
            .go({ limit: 10 }),
        ),
      );
      return found.flatMap(({ data }) => data.map(({ view }) => JSON.parse(view) as DeploymentView)).slice(0, 10);
    },
  });
};
