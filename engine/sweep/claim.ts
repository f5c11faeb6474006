import type { Environment } from "../../domain/environment/state.ts";
import { type Claims, isClaimed } from "../../domain/environment/sweep.ts";
import { MAX_CLOCK_SKEW_MS } from "../../domain/kernel/position.ts";

/** A claim to take away what was marked lasts so long. */
export const CLAIM_MS = 5 * 60_000;

const at = (ms: number): string => new Date(ms).toISOString();

/** Which claims are in force at a moment, whichever clock within the usual difference has dated them. */
export const claimsAt = (now: number): Claims => ({ after: at(now - MAX_CLOCK_SKEW_MS), upTo: at(now + CLAIM_MS + MAX_CLOCK_SKEW_MS) });

/** Milliseconds for which things may still be taken away; 0 where nobody may. */
export const claimLeft = (state: Pick<Environment, "sweep">, now: number): number =>
  isClaimed(state, claimsAt(now)) ? Date.parse(state.sweep?.until ?? "") + MAX_CLOCK_SKEW_MS - now : 0;
