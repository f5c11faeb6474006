import * as z from "zod";

/** How full the account's code storage was. `at`: milliseconds since 1970; bytes. */
export const CodeStorageSample = z.object({ at: z.number(), used: z.number(), limit: z.number() });
export type CodeStorageSample = z.infer<typeof CodeStorageSample>;

const DAY_MS = 24 * 3_600_000;
/** Two a day for a month. */
const EVERY_MS = DAY_MS / 2;
const MOST = 60;
/** A trend of a shorter time is none. */
const SHORTEST_MS = DAY_MS;

/** The samples with a new one, oldest first; `undefined` where the last is younger than half a day. What a wrong clock dated goes. */
export const withSample = (samples: readonly CodeStorageSample[], sample: CodeStorageSample): CodeStorageSample[] | undefined => {
  const past = samples.filter(({ at }) => at <= sample.at);
  const last = past.at(-1);
  if (last !== undefined && past.length === samples.length && sample.at - last.at < EVERY_MS) return undefined;
  return [...past, sample].slice(-MOST);
};

export type Forecast = {
  readonly used: number;
  readonly limit: number;
  /** bytes that come with each day, below 0 where it gets emptier; null where that is not known yet */
  readonly perDay: number | null;
  /** until it is full, at that rate; null where it will not be, or nobody knows */
  readonly daysLeft: number | null;
};

/** How full the code storage is, and when it will be full: by the straight line that fits the last month best. */
export const forecastOf = (samples: readonly CodeStorageSample[]): Forecast | undefined => {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const { used, limit } = last;
  const perDay = slopeOf(samples);
  return { used, limit, perDay, daysLeft: perDay === null || perDay <= 0 ? null : Math.max(0, (limit - used) / perDay) };
};

const slopeOf = (samples: readonly CodeStorageSample[]): number | null => {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < SHORTEST_MS) return null;
  const mean = (of: (sample: CodeStorageSample) => number): number => samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const [middle, level] = [mean(({ at }) => at), mean(({ used }) => used)];
  const across = samples.reduce((sum, { at, used }) => sum + (at - middle) * (used - level), 0);
  const along = samples.reduce((sum, { at }) => sum + (at - middle) ** 2, 0);
  return (across / along) * DAY_MS;
};
