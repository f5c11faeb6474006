import type { Environment } from "../../domain/environment/state.ts";
import { isClaimed } from "../../domain/environment/sweep.ts";
import { MAX_CLOCK_SKEW_MS } from "../../domain/kernel/position.ts";

/** A claim to take away what was marked lasts so long. */
export const CLAIM_MS = 5 * 60_000;

const at = (ms: number): string => new Date(ms).toISOString();

/** The moment, and when a claim that is in force then ends at the latest. */
export const claimTimes = (now: number): { readonly at: string; readonly latest: string } => ({
  at: at(now),
  latest: at(now + CLAIM_MS + MAX_CLOCK_SKEW_MS),
});

/** Milliseconds for which things may still be taken away; 0 where nobody may. */
export const claimLeft = (state: Pick<Environment, "sweep">, now: number): number => {
  const times = claimTimes(now);
  return isClaimed(state, times.at, times.latest) ? Date.parse(state.sweep?.until ?? times.at) - now : 0;
};
