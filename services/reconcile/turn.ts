import { schedules } from "../../blueprint/topology.ts";

/** Environments that one run looks at: what it asks of each takes a fifth of a second, and Lambda's API 15 calls a second of all. */
const EACH_RUN = 100;
const RUN_MS = (schedules.find(({ name }) => name === "reconcile")?.everySeconds ?? 120) * 1_000;

/**
 * Those whose turn it is: all of them where there are no more than a hundred, else every one within as many runs as it takes.
 *
 * @param now milliseconds since 1970
 */
export const turnOf = <T>(places: readonly T[], now: number): readonly T[] => {
  const turns = Math.ceil(places.length / EACH_RUN);
  return places.filter((_, index) => index % turns === Math.floor(now / RUN_MS) % turns);
};

const HOUR_MS = 3_600_000;

/** Of those whose turn it is, those for which an hour has begun since their last turn or so: each about once an hour. @param now milliseconds since 1970 */
export const hourlyOf = <T>(places: readonly T[], now: number): readonly T[] => {
  const turns = Math.max(1, Math.ceil(places.length / EACH_RUN));
  // a timer is late at times: an hour that is begun twice is no harm, one that is passed over is a day for some
  const sinceMs = 1.5 * turns * RUN_MS;
  const hour = (index: number, at: number): number => Math.floor((at + (index * HOUR_MS) / places.length) / HOUR_MS);
  const due = new Set(places.filter((_, index) => hour(index, now) !== hour(index, now - sinceMs)));
  return turnOf(places, now).filter((place) => due.has(place));
};
