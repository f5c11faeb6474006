import type { Commit } from "../../domain/kernel/chain.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { advance, type ReadModel, readModels, viewOf } from "../../engine/views/read-models.ts";

/** What the row of each stream must be, told by the projections alone. */
export const rowsOf = (commits: readonly Commit[]): Map<string, unknown> =>
  new Map(
    [...Map.groupBy(commits, ({ stream }) => stream)].map(([stream, own]) => {
      const model = readModels[viewOf(stream)] as unknown as ReadModel<{ version: number }>;
      return [stream, advance(model, model.begin(stream), own.flatMap(eventsOf))];
    }),
  );
