import type { Answer } from "./load.ts";

/** A flip as the log has it: `at` is when it was recorded as live, ms since 1970. */
export type RecordedFlip = {
  readonly sequence: number;
  readonly from: string | null;
  readonly to: string;
  readonly ms: number;
  readonly at: number;
  readonly reason: string;
};

export type Traffic = {
  readonly requests: number;
  readonly failed: number;
  /** in the order in which each was first seen */
  readonly releases: readonly string[];
  readonly perRelease: Readonly<Record<string, number>>;
  readonly perSecond: number;
  readonly kinds: readonly { readonly kind: string; readonly requests: number; readonly p50: number; readonly p95: number }[];
  /** the first failures, each as one sentence */
  readonly failures: readonly string[];
};

/**
 * Judges every answer: it failed where there was none, where its status is not a good one, where the page names another
 * release than its header, and where it comes from a release older than one that was recorded as live before it was asked for.
 */
export const judge = (answers: readonly Answer[], flips: readonly RecordedFlip[]): Traffic => {
  const failures: string[] = [];
  const releases: string[] = [];
  const perRelease: Record<string, number> = {};
  const times = new Map<string, number[]>();
  let failed = 0;
  for (const answer of [...answers].sort((a, b) => a.start + a.ms - (b.start + b.ms))) {
    const fault = faultOf(answer, flips);
    if (fault !== undefined) {
      failed += 1;
      if (failures.length < 10) failures.push(`${answer.path}: ${fault}`);
    }
    if (answer.release !== null) {
      if (!releases.includes(answer.release)) releases.push(answer.release);
      perRelease[answer.release] = (perRelease[answer.release] ?? 0) + 1;
    }
    const known = times.get(answer.kind);
    if (known === undefined) times.set(answer.kind, [answer.ms]);
    else known.push(answer.ms);
  }
  const starts = answers.map(({ start }) => start).sort((a, b) => a - b);
  const from = starts[0] ?? 0;
  const to = starts.at(-1) ?? 0;
  return {
    requests: answers.length,
    failed,
    releases,
    perRelease,
    perSecond: answers.length / Math.max(1, (to - from) / 1_000),
    kinds: [...times].map(([kind, ms]) => ({ kind, requests: ms.length, p50: quantile(ms, 0.5), p95: quantile(ms, 0.95) })),
    failures,
  };
};

const faultOf = ({ status, error, release, named, sequence, start }: Answer, flips: readonly RecordedFlip[]): string | undefined => {
  if (error !== null) return error;
  if (status < 200 || status >= 400) return `status ${status}`;
  if (release === null) return "the answer names no release";
  if (named !== null && named !== release) return `the page is of ${named}, but its header says ${release}`;
  const recorded = flips.findLast(({ at }) => at < start);
  if (recorded !== undefined && sequence < recorded.sequence)
    return `it comes from #${sequence}, asked for after #${recorded.sequence} was recorded as live`;
  return undefined;
};

/** The value below which that part of the values lies. */
export const quantile = (values: readonly number[], part: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
};
