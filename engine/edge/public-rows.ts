import { filesKey, MAX_CHANGES } from "../../blueprint/edge-table.ts";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { PublicSet } from "../../domain/environment/route.ts";
import type { EdgeTable } from "../aws/edge-table.ts";
import { problemOf } from "../aws/errors.ts";
import type { Clock } from "../kit/clock.ts";

export type Ports = { readonly edgeTable: EdgeTable; readonly clock: Pick<Clock, "sleep" | "random"> };
type Edge = Pick<SiteConfig, "edgeTable" | "distribution">;

const TRIES = 30;

/**
 * Whether the table was given the rows that a set needs. One look tells: the first row is written last, by whoever writes them, and a
 * request for each fifty is done whole or not at all, before the next begins. So where it is there all others were, also where a
 * writer died between two requests; and an edge hears of changes in their order. What a hand deleted since it does not tell.
 */
export const hasRows = async ({ edgeTable: table }: Ports, { edgeTable, distribution }: Edge, { set, rows }: PublicSet): Promise<boolean> =>
  rows === 0 || edgeTable === null || distribution === null || (await table.get(edgeTable, filesKey(distribution, set, 0))) !== undefined;

/**
 * Writes the rows of a set of public files, by which the router knows what is a file: all of them, whichever are there. They are named by
 * what is in them, so that it makes no difference who else writes them. Nothing where an edge looks up no table.
 */
export const writeRows = async (
  ports: Ports,
  { edgeTable, distribution }: Edge,
  { files, rows }: { readonly files: PublicSet; readonly rows: readonly string[] },
): Promise<void> => {
  if (edgeTable === null || distribution === null) return;
  const all = rows.map((text, row) => [filesKey(distribution, files.set, row), text] as const).reverse();
  for (let from = 0; from < all.length; from += MAX_CHANGES)
    await put(ports, edgeTable, Object.fromEntries(all.slice(from, from + MAX_CHANGES)));
};

/** What others change in the same table meanwhile makes it begin again. */
const put = async ({ edgeTable: table, clock }: Ports, store: string, puts: Readonly<Record<string, string>>): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      await table.update(store, await table.version(store), { puts });
      return;
    } catch (error) {
      if (problemOf(error) !== "changed" || tries === TRIES) throw error;
      await clock.sleep(Math.min(20 * 2 ** tries, 1_000) * clock.random());
    }
  }
};
