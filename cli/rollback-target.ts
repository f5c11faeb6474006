import type { Environment } from "./place.ts";

type Past = Environment["history"][number];

/**
 * Where a rollback without a target goes: the newest release that was live here and is older than what is live now.
 * Shown before it is asked for, and then named, so that what was shown is what happens. A release is as old as the first
 * time that it went live: a rollback raises the sequence, but it makes no older release newer.
 */
export const rollbackTarget = ({ live, history }: Pick<Environment, "live" | "history">): Past | undefined => {
  if (live === null) return undefined;
  const first = new Map<string, Past>();
  for (const past of [live, ...history])
    if (past.sequence <= (first.get(past.deploymentId)?.sequence ?? past.sequence)) first.set(past.deploymentId, past);

  const now = first.get(live.deploymentId)?.sequence ?? live.sequence;
  const older = [...first.values()].filter(({ sequence }) => sequence < now);
  return older.sort((a, b) => b.sequence - a.sequence)[0];
};
