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
