import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How a deployment went; times are ISO 8601. */
export type Deployed = {
  readonly id: string;
  readonly status: string;
  readonly sequence: number;
  readonly builtAt: string | null;
  readonly endedAt: string | null;
};

/** Milliseconds. */
export type Percentiles = { readonly p50: number; readonly p95: number; readonly p99: number };

/** From the end of the build to live, of those that went live. */
export const latencies = (all: readonly Deployed[]): Percentiles => {
  const sorted = all
    .flatMap(({ status, builtAt, endedAt }) =>
      status === "success" && builtAt !== null && endedAt !== null ? [Date.parse(endedAt) - Date.parse(builtAt)] : [],
    )
    .sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
};

/** The most of each tenth of the samples. */
export const tenthsOf = (samples: readonly number[]): number[] =>
  Array.from({ length: 10 }, (_, n) =>
    samples.slice(Math.floor((n * samples.length) / 10), Math.floor(((n + 1) * samples.length) / 10)),
  ).flatMap((part) => (part.length === 0 ? [] : [Math.max(...part)]));

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Megabytes that this process really uses: what is garbage was collected before. */
export const heapUsed = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
};
