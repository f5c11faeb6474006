import { MAX_CLOCK_SKEW_MS } from "../../domain/kernel/position.ts";

const MINUTE = 60_000;
/** Two runs of the reconciler begin in it, also where one of them is late. */
const WINDOW_MS = 5 * MINUTE;
const LONGEST_MS = 60 * MINUTE;
/** Long enough to be asked for again, too short to be given up. */
const UNKNOWN_MS = 15 * MINUTE;

/** Whether a time (ISO 8601) was told by a clock that was ahead of this one. */
export const isAhead = (at: string, now: number): boolean => Date.parse(at) > now + MAX_CLOCK_SKEW_MS;

/**
 * How long ago something was, in milliseconds. Nobody knows it of what a clock that was ahead has dated: that is neither
 * left alone until its time comes nor ended as if its time were over.
 */
export const ageOf = (at: string, now: number): number => (isAhead(at, now) ? UNKNOWN_MS : now - Date.parse(at));

/**
 * Whether what should have gone on is due to be sent again: after a first while, each time that this has doubled, and every
 * hour from then on. A message that comes back by itself, through an outage of an hour, must not meet thirty more of its kind
 * when that is over.
 *
 * @param at ISO 8601; where a clock that was ahead has dated it, it is always due
 * @param first milliseconds
 */
export const isDueAgain = (at: string, now: number, first: number): boolean => {
  if (isAhead(at, now)) return true;
  const age = now - Date.parse(at);
  if (age <= first) return false;
  const doubled = first * 2 ** Math.floor(Math.log2(age / first));
  return (age < LONGEST_MS ? age - doubled : age % LONGEST_MS) < WINDOW_MS;
};
