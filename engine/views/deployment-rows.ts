import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type DeploymentView, isEnd, type Status } from "../../domain/projections/views.ts";
import { modelRows } from "./model-rows.ts";
import { ACTIVE, ENDED } from "./read-models.ts";
import type { ReadStream } from "./row-shape.ts";

type Wanted = { site: string; environment: string; status?: Status | undefined; limit: number };

/** The read model of deployments, in one generation of the table of views, and how deployments are found. */
export const deploymentRows = (client: DynamoDBDocumentClient, table: string, read: ReadStream) => {
  const rows = modelRows(client, table, read, "deployments");
  return (generation: number) => {
    const kept = rows(generation);
    const { by, viewsOf } = kept;
    return { ...kept, list, newest, active, find };

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
        const page = await by("byPlace", `${site}/${environment}`).go({ order: "desc", cursor, limit: Math.max(limit, 25) });
        found.push(...(await viewsOf(page.data)).filter((view) => status === undefined || view.status === status));
        cursor = page.cursor;
      } while (cursor !== null && found.length < limit);
      return found.slice(0, limit);
    }
    /** The newest that fit, of whatever place. */
    async function newest(limit: number, fits: (view: DeploymentView) => boolean): Promise<DeploymentView[]> {
      const found = await Promise.all([ACTIVE, ENDED].map((activity) => newestOf(activity, limit, fits)));
      return found
        .flat()
        .sort((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, limit);
    }
    async function newestOf(activity: string, limit: number, fits: (view: DeploymentView) => boolean): Promise<DeploymentView[]> {
      const found: DeploymentView[] = [];
      let cursor: string | null = null;
      do {
        const page = await by("byActivity", activity).go({ order: "desc", cursor, limit });
        found.push(...(await viewsOf(page.data)).filter(fits));
        cursor = page.cursor;
      } while (cursor !== null && found.length < limit);
      return found.slice(0, limit);
    }
    /** Those that have not ended. */
    async function active(): Promise<DeploymentView[]> {
      return viewsOf((await by("byActivity", ACTIVE).go({ pages: "all" })).data);
    }
    /** Those whose id begins so, at most ten. */
    async function find(prefix: string): Promise<DeploymentView[]> {
      const found = await Promise.all([ACTIVE, ENDED].map((activity) => by("byActivity", activity, prefix).go({ limit: 10 })));
      return viewsOf(found.flatMap(({ data }) => data).slice(0, 10));
    }
  };
};
