import type { Commit } from "../../domain/kernel/chain.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { rowOf, viewsOf } from "../../engine/views/read-models.ts";
import { rowKey } from "../../operator/replay/folding.ts";

/** What the rows of each stream must be, told by the projections alone, by `rowKey`. */
export const rowsOf = (commits: readonly Commit[]): Map<string, unknown> =>
  new Map(
    [...Map.groupBy(commits, ({ stream }) => stream)].flatMap(([stream, own]) =>
      viewsOf(stream).map((view) => [rowKey(view, stream), rowOf(view, stream, own.flatMap(eventsOf))] as const),
    ),
  );
