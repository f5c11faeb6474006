import type { Commit } from "../../domain/kernel/chain.ts";
import { eventsOf } from "../log/codec.ts";
import { foldRow, modelOf, type ViewName, type Views } from "./read-models.ts";

/** The rows of one read model in one generation. */
export type Kept<V> = { get(stream: string): Promise<V | undefined>; put(view: V): Promise<boolean> };

/**
 * Brings one row up to a version of its stream, or beyond, from where it is.
 *
 * @param read the commits of a stream after a version, strongly consistent
 * @param kept is told of the row that was written, from which version on it went, and of the last commit that is in it
 */
export const keepRow = async <K extends ViewName>(
  read: (stream: string, after: number) => Promise<readonly Commit[]>,
  name: K,
  rows: Kept<Views[K]> | Kept<never>,
  stream: string,
  version: number,
  kept: (view: Views[K], from: number, last: Commit) => Promise<void> = async () => undefined,
): Promise<void> => {
  const { get, put } = rows as Kept<Views[K]>;
  for (;;) {
    const before = (await get(stream)) ?? modelOf(name).begin(stream);
    const from = before?.version ?? 0;
    if (from >= version) return;
    const commits = await read(stream, from);
    const view = foldRow(name, before, commits.flatMap(eventsOf));
    const last = commits.at(-1);
    // nothing that this release knows of has happened since
    if (view === undefined || last === undefined || view.version <= from) return;
    // a lost race means that somebody wrote a newer row: it may still be older than what is wanted
    if (await put(view)) return kept(view, from, last);
  }
};
