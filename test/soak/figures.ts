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

/** Where memory was at first and at last (the least of some seconds, so that garbage does not count), in MB. */
export const lastsOf = (samples: readonly { readonly mb: number }[]) => {
  const least = (part: readonly { readonly mb: number }[]): number => Math.min(...part.map(({ mb }) => mb));
  const tenth = Math.max(5, Math.floor(samples.length / 10));
  const firstMb = least(samples.slice(0, tenth));
  const lastMb = least(samples.slice(-tenth));
  return { firstMb, lastMb, kbPerDeployment: (deployments: number): number => ((lastMb - firstMb) * 1024) / deployments };
};
