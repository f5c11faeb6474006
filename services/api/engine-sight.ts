import { viewsOf } from "../../engine/views/read-models.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import type { EngineSight } from "./ports.ts";

/** What the engine notes of itself. */
export const engineSight = ({ views, eventLog, archive }: Pick<Engine, "views" | "eventLog" | "archive">): EngineSight => ({
  newest: (limit) => eventLog.newest(limit),
  relayed: views.relayed,
  projections: async () => {
    const { live } = await views.generations();
    return async (stream) => {
      const rows = await Promise.all(viewsOf(stream).map((name) => views.rows(live[name])[name].get(stream)));
      return Math.min(...rows.map((row) => row?.version ?? 0));
    };
  },
  mended: views.mended,
  active: views.active,
  firstDue: views.firstDue,
  countUnsealed: views.countUnsealed,
  codeStorageSamples: views.codeStorageSamples,
  newestSeal: () => archive.latestNoted(),
});
