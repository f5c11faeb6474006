import { ReleaseRow } from "../../blueprint/edge-table.ts";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { Route } from "../../domain/environment/route.ts";

/** The table that an environment's edge looks up, and its name there. */
export type Store = { readonly table: string; readonly distribution: string };

/** `undefined` where the environment's edge looks up no table. */
export const storeOf = ({ edgeTable, distribution }: Pick<SiteConfig, "edgeTable" | "distribution">): Store | undefined =>
  edgeTable === null || distribution === null ? undefined : { table: edgeTable, distribution };

/** The route of what is live. `undefined` where there is no row, or what no flip wrote. */
export const readRow = (text: string | undefined): Route | undefined => Route.safeParse(parsed(text)).data;
/** Of a release, with its end. `undefined` where there is no row, or what no flip wrote. */
export const readReleaseRow = (text: string | undefined): ReleaseRow | undefined => ReleaseRow.safeParse(parsed(text)).data;

const parsed = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
};
