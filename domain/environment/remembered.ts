import { MAX_STANDING } from "./standing.ts";
import type { Environment } from "./state.ts";

/** Deployments that may be on their way at once: who asks to go live behind that many newer ones is told that it is history. */
export const MAX_PENDING = 200;
/** Flips of which a late move of an alias is still taken for theirs. */
export const MAX_TARGETS = 50;
/** Addresses of which it is known one by one that they were taken away. */
export const MAX_REMOVED = 100;

/**
 * Keeps the state as large as what may still be decided of, however long the past is. What it forgets is in the log; what depends
 * on it must do without.
 */
export const forgetOld = (state: Environment): void => {
  if (state.everLive.size > state.standing.length + state.takenDown.size + state.open.size) forgetReleases(state);
  if (state.unfit.size > MAX_STANDING) forgetUnfit(state);
  if (state.pending.size > MAX_PENDING) {
    const [oldest, sequence] = [...state.pending].reduce((a, b) => (b[1] < a[1] ? b : a));
    state.pending.delete(oldest);
    state.forgottenUpTo = Math.max(state.forgottenUpTo, sequence);
  }
  if (state.targets.size > MAX_TARGETS) state.targets.delete(Math.min(...state.targets.keys()));
  if (state.removedAddresses.size > MAX_REMOVED) {
    const lowest = Math.min(...state.removedAddresses);
    state.removedAddresses.delete(lowest);
    state.removedUpTo = Math.max(state.removedUpTo, lowest);
  }
};

/** Whether a deployment with this sequence may have been admitted, and forgotten since. */
export const isForgotten = ({ forgottenUpTo }: Environment, sequence: number): boolean => sequence <= forgottenUpTo;

/** Whether an address may have been taken away: then its number is not used again. */
export const isRemoved = ({ removedAddresses, removedUpTo }: Environment, address: number): boolean =>
  address <= removedUpTo || removedAddresses.has(address);

/** One that never went live is no target of a rollback anyway. */
const forgetUnfit = ({ unfit, everLive }: Environment): void => {
  const never = [...unfit.keys()].find((deploymentId) => !everLive.has(deploymentId));
  if (never !== undefined) unfit.delete(never);
};

/**
 * Those that neither stand nor are known to be taken down, but what is going live: a rollback to one of them brings what the log has
 * of it.
 */
const forgetReleases = ({ everLive, standing, takenDown, open }: Environment): void => {
  const isKnown = (deploymentId: string): boolean => takenDown.has(deploymentId) || standing.includes(deploymentId);
  const opened = new Set([...open.values()].flatMap(({ deploymentId: id }) => (everLive.has(id) && !isKnown(id) ? [id] : [])));
  let tooMany = everLive.size - standing.length - takenDown.size - opened.size;
  // the one that is to go came first, or nearly so: this is asked with every release that goes live
  for (const deploymentId of everLive.keys()) {
    if (tooMany <= 0) return;
    if (isKnown(deploymentId) || opened.has(deploymentId)) continue;
    everLive.delete(deploymentId);
    tooMany -= 1;
  }
};
