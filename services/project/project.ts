import type { Commit } from "../../domain/kernel/chain.ts";
import type { EnvironmentView } from "../../domain/projections/views.ts";
import { keepRow } from "../../engine/views/keep-row.ts";
import { type ViewName, viewsOf } from "../../engine/views/read-models.ts";
import type { Views } from "../../engine/views/views.ts";
import { isWaypoint } from "../../engine/views/waypoint-notes.ts";

export type Ports = {
  /** the commits of a stream after a version */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  readonly views: Pick<Views, "generations" | "rows" | "noteWaypoint">;
};

/**
 * Keeps the read models that a stream feeds. A message only says which stream to look at: the rest is read from the store, from the row's
 * version on, so duplicates and disorder are harmless and gaps impossible.
 *
 * While a rebuild runs, two generations of a row are kept: the live one first, so that what the rebuild may still
 * overwrite in its own is seen to be newer in the live one. A rebuild that began or ended meanwhile is seen by asking
 * again which generations count.
 */
export const project =
  ({ read, views }: Ports) =>
  async ({ stream, version }: { stream: string; version: number }): Promise<void> => {
    for (const name of viewsOf(stream)) await keep(name);

    /** Its row is kept as it is now, for who will ask about the past. */
    async function pass(view: EnvironmentView, from: number, last: Commit): Promise<void> {
      if (isWaypoint(from, last.version)) await views.noteWaypoint(last, view);
    }

    async function keep(name: ViewName): Promise<void> {
      const done = new Set<number>();
      for (let more = true; more; ) {
        more = false;
        const { live, building } = await views.generations();
        for (const generation of [live[name], ...(building?.views.includes(name) ? [building.generation] : [])]) {
          if (done.has(generation)) continue;
          const rows = views.rows(generation);
          if (name === "environments") await keepRow(read, name, rows.environments, stream, version, pass);
          else await keepRow(read, name, rows[name], stream, version);
          done.add(generation);
          more = true;
        }
      }
    }
  };
