/** Digits of a position: milliseconds since 1970, wide enough until the year 33658. */
const WIDTH = 15;

/**
 * Clocks of machines differ by less, in milliseconds: the store refuses what is further off. What lies further ahead of a
 * clock was written with a clock that was wrong, or follows from that.
 */
export const MAX_CLOCK_SKEW_MS = 300_000;

/**
 * A hybrid logical clock: never before the wall clock, the stream's previous commit, or the cause.
 * So a cause sorts before its effects even where two machines' clocks disagree.
 *
 * @param now milliseconds since 1970
 * @param previous position of the stream's last commit
 * @param cause position of the event that this follows from
 */
export const nextPosition = (now: number, previous: string | undefined, cause: string | undefined): string =>
  Math.max(Math.trunc(now), after(previous), after(cause)).toString().padStart(WIDTH, "0");

const after = (position: string | undefined): number => (position === undefined ? 0 : Number(position) + 1);

/** The position of a wall-clock time: everything decided before it sorts below. */
export const positionAt = (milliseconds: number): string => Math.max(0, Math.trunc(milliseconds)).toString().padStart(WIDTH, "0");

/** Of two positions. */
export const earlier = (one: string, other: string): string => (one < other ? one : other);
export const later = (one: string, other: string): string => (one > other ? one : other);
