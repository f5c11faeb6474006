import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { deploymentOf, deploymentStream } from "../../domain/kernel/identity.ts";
import { deploymentShape } from "../../domain/projections/deployment-view.ts";
import { type DeploymentView, isEnd, type Status } from "../../domain/projections/views.ts";
import { ifNewer } from "../aws/if-newer.ts";
import { generationOf, inGeneration } from "./generations.ts";
import { type ReadStream, type Stored, viewIn, viewsIn } from "./row-shape.ts";

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
        /** of the view; rows of the first engines have none */
        shape: { type: "number" },
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
  shape: deploymentShape,
  view: JSON.stringify(view),
});

const ACTIVE = "active";
const ENDED = "ended";

type Wanted = { site: string; environment: string; status?: Status | undefined; limit: number };

/** The read model of deployments, in one generation of the table of views. */
export const deploymentRows = (client: DynamoDBDocumentClient, table: string, read: ReadStream) => {
  const deployments = deploymentRow(client, table);
  return (generation: number) => {
    const kept = { get, put };
    const views = viewsIn(read, "deployments", kept);
    const viewsOf = (rows: readonly (Stored & { id: string })[]) =>
      views(rows.map((row) => ({ row, stream: deploymentStream(generationOf(row.id).key) })));
    return { ...kept, current, list, active, find };

    /** `undefined` where it was never projected, or in another shape. */
    async function get(stream: string): Promise<DeploymentView | undefined> {
      return viewIn("deployments", await rowOf(stream));
    }
    /** `undefined` where it was never projected; one of another shape is made anew. */
    async function current(stream: string): Promise<DeploymentView | undefined> {
      const row = await rowOf(stream);
      return row === null ? undefined : (await viewsOf([row]))[0];
    }
    async function rowOf(stream: string) {
      return (await deployments.get({ id: inGeneration(generation, deploymentOf(stream)) }).go({ consistent: true })).data;
    }
    /** Writes a row if nobody wrote a newer one of this shape; `false` where somebody did. */
    function put(view: DeploymentView): Promise<boolean> {
      return ifNewer(
        deployments
          .put(deploymentAttributes(generation, view))
          .where(
            ({ version, shape }, { notExists, lt, ne }) =>
              `${notExists(version)} OR ${lt(version, view.version)} OR ${notExists(shape)} OR ${ne(shape, deploymentShape)}`,
          )
          .go(),
      );
    }
    /** Newest first. What is under way is looked for among that alone, however long the history is. */
    async function list({ site, environment, status, limit }: Wanted): Promise<DeploymentView[]> {
      if (status !== undefined && !isEnd(status)) {
        const fits = (view: DeploymentView) => view.site === site && view.environment === environment && view.status === status;
        return (await active())
          .filter(fits)
          .sort((a, b) => b.sequence - a.sequence)
          .slice(0, limit);
      }
      const found: DeploymentView[] = [];
      let cursor: string | null = null;
      do {
        const page: { data: (Stored & { id: string })[]; cursor: string | null } = await deployments.query
          .byPlace({ place: inGeneration(generation, `${site}/${environment}`) })
          .go({ order: "desc", cursor, limit: Math.max(limit, 25) });
        found.push(...(await viewsOf(page.data)).filter((view) => status === undefined || view.status === status));
        cursor = page.cursor;
      } while (cursor !== null && found.length < limit);
      return found.slice(0, limit);
    }
    /** Those that have not ended. */
    async function active(): Promise<DeploymentView[]> {
      const { data } = await deployments.query.byActivity({ activity: inGeneration(generation, ACTIVE) }).go({ pages: "all" });
      return viewsOf(data);
    }
    /** Those whose id begins so, at most ten. */
    async function find(prefix: string): Promise<DeploymentView[]> {
      const found = await Promise.all(
        [ACTIVE, ENDED].map((activity) =>
          deployments.query
            .byActivity({ activity: inGeneration(generation, activity) })
            .begins({ id: inGeneration(generation, prefix) })
            .go({ limit: 10 }),
        ),
      );
      return viewsOf(found.flatMap(({ data }) => data).slice(0, 10));
    }
  };
};
