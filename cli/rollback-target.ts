import type { Environment } from "./place.ts";

/**
 * Where a rollback without a target goes: the newest release that was live here and is older than what is live now.
 * Shown before it is asked for, and then named, so that what was shown is what happens.
 */
export const rollbackTarget = ({ live, history }: Pick<Environment, "live" | "history">): Environment["history"][number] | undefined => {
  if (live === null) return undefined;
  // ids sort by the time of their creation: a rollback raises the sequence, but it makes no older release newer
  const older = history.filter(({ deploymentId }) => deploymentId < live.deploymentId);
  return older.sort((a, b) => (a.deploymentId < b.deploymentId ? 1 : -1))[0];
};
