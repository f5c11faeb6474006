import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type DeploymentView, isEnd, type Status } from "../../domain/projections/views.ts";
import { modelRows, type Query } from "./model-rows.ts";
import { ACTIVE, ENDED, orderOf } from "./read-models.ts";
import type { ReadStream } from "./row-shape.ts";

export type Wanted = {
  readonly site: string;
  readonly environment: string;
  readonly status?: Status | undefined;
  readonly limit: number;
  /** only those with a lower sequence */
  readonly before?: number | undefined;
};
export type Newest = { readonly status?: Status | undefined; readonly before?: string | undefined };
type Fits = (view: DeploymentView) => boolean;

/** Newest first. `end`: the last that was looked at, where there may be more behind it. */
export type Listed = { readonly found: readonly DeploymentView[]; readonly end: DeploymentView | null };

/** Rows that one call looks through for those that fit, however many there are. */
const MAX_LOOKED = 1_000;
const PAGE = 25;

/** The read model of deployments, in one generation of the table of views, and how deployments are found. */
export const deploymentRows = (client: DynamoDBDocumentClient, table: string, read: ReadStream) => {
  const rows = modelRows(client, table, read, "deployments");
  return (generation: number) => {
    const kept = rows(generation);
    const { by, viewsOf } = kept;
    return { ...kept, list, newest, active, find };

    /** Newest first. What is under way is looked for among that alone, however long the history is. */
    async function list({ site, environment, status, limit, before }: Wanted): Promise<Listed> {
      if (status === undefined || isEnd(status)) {
        const query = by("byPlace", `${site}/${environment}`, before === undefined ? {} : { before: orderOf(before) });
        return lookThrough(query, limit, (view) => status === undefined || view.status === status);
      }
      const under = (await active())
        .filter((view) => view.site === site && view.environment === environment && view.status === status)
        .filter(({ sequence }) => before === undefined || sequence < before)
        .sort((a, b) => b.sequence - a.sequence);
      return { found: under.slice(0, limit), end: under.length > limit ? (under[limit - 1] ?? null) : null };
    }
    /** The newest that fit, of whatever place. @param before only those with a lower id */
    async function newest(limit: number, fits: Fits, { status, before }: Newest = {}): Promise<Listed> {
      const since = before === undefined ? {} : { before };
      const among = status === undefined ? [ACTIVE, ENDED] : [isEnd(status) ? ENDED : ACTIVE];
      const isWanted: Fits = (view) => (status === undefined || view.status === status) && fits(view);
      return mergedLists(
        await Promise.all(among.map((activity) => lookThrough(by("byActivity", activity, since), limit, isWanted))),
        limit,
      );
    }
    async function lookThrough(query: Query, limit: number, fits: Fits): Promise<Listed> {
      const found: DeploymentView[] = [];
      let end: DeploymentView | null = null;
      let cursor: string | null = null;
      for (let looked = 0; looked < MAX_LOOKED; ) {
        const page: Awaited<ReturnType<Query["go"]>> = await query.go({ order: "desc", cursor, limit: Math.max(limit, PAGE) });
        const views = await viewsOf(page.data);
        for (const [index, view] of views.entries()) {
          end = view;
          if (fits(view)) found.push(view);
          if (found.length === limit) return { found, end: index < views.length - 1 || page.cursor !== null ? view : null };
        }
        if (page.cursor === null) return { found, end: null };
        cursor = page.cursor;
        looked += page.data.length;
      }
      return { found, end };
    }
    /** Those that have not ended. */
    async function active(): Promise<DeploymentView[]> {
      return viewsOf((await by("byActivity", ACTIVE).go({ pages: "all" })).data);
    }
    /** Those whose id begins so, at most ten. */
    async function find(prefix: string): Promise<DeploymentView[]> {
      const found = await Promise.all([ACTIVE, ENDED].map((activity) => by("byActivity", activity, { begins: prefix }).go({ limit: 10 })));
      return viewsOf(found.flatMap(({ data }) => data).slice(0, 10));
    }
  };
};

/** Lists of which each is in the order of its ids as one, as far as each of them goes. */
export const mergedLists = (parts: readonly Listed[], limit: number): Listed => {
  const [end = null] = parts.flatMap((part) => part.end ?? []).sort(newestFirst);
  // one that ended meanwhile may be in two of them
  const once = new Map(parts.flatMap(({ found }) => found).map((view) => [view.id, view]));
  const all = [...once.values()].filter(({ id }) => end === null || id >= end.id).sort(newestFirst);
  return { found: all.slice(0, limit), end: all.length > limit ? (all[limit - 1] ?? null) : end };
};

export const newestFirst = (a: DeploymentView, b: DeploymentView): number => (a.id < b.id ? 1 : -1);
