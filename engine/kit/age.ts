import { MAX_CLOCK_SKEW_MS } from "../../domain/kernel/position.ts";

const MINUTE = 60_000;
/** Long enough to be asked for again, too short to be given up. */
const UNKNOWN_MS = 15 * MINUTE;

/** Whether a time (ISO 8601) was told by a clock that was ahead of this one. */
export const isAhead = (at: string, now: number): boolean => Date.parse(at) > now + MAX_CLOCK_SKEW_MS;

/**
 * How long ago something was, in milliseconds. Nobody knows it of what a clock that was ahead has dated: that is neither
 * left alone until its time comes nor ended as if its time were over.
 */
export const ageOf = (at: string, now: number): number => (isAhead(at, now) ? UNKNOWN_MS : now - Date.parse(at));
