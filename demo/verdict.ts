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

/** Some of the answers in figures; times in ms. */
export type Share = { readonly requests: number; readonly failed: number; readonly p50: number; readonly p95: number };

export type Traffic = {
  readonly requests: number;
  readonly failed: number;
  /** in the order in which each was first seen */
  readonly releases: readonly string[];
  /** by the sequence that answered; 0 for no answer at all */
  readonly perSequence: ReadonlyMap<number, Share>;
  readonly perKind: ReadonlyMap<string, Share>;
  /** requests that were begun in a second, over the whole time */
  readonly perSecond: number;
  /** the first failures, each as one sentence */
  readonly failures: readonly string[];
};

/**
 * Judges every answer: it failed where there was none, where its status is not a good one, where the page names another
 * release than its header, and where it comes from a release older than one that was recorded as live before it was asked for.
 */
export const judge = (answers: readonly Answer[], flips: readonly RecordedFlip[]): Traffic => {
  const judged = answers
    .map((answer) => ({ ...answer, fault: faultOf(answer, flips) }))
    .sort((one, other) => one.start + one.ms - (other.start + other.ms));
  const faults = judged.filter(({ fault }) => fault !== undefined);
  const starts = answers.map(({ start }) => start).sort((a, b) => a - b);
  const seconds = ((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / 1_000;
  return {
    requests: judged.length,
    failed: faults.length,
    releases: [...new Set(judged.flatMap(({ release }) => (release === null ? [] : [release])))],
    perSequence: new Map([...Map.groupBy(judged, ({ sequence }) => sequence)].sort(([a], [b]) => a - b).map(inFigures)),
    perKind: new Map([...Map.groupBy(judged, ({ kind }) => kind)].map(inFigures)),
    perSecond: answers.length / Math.max(1, seconds),
    failures: faults.slice(0, 10).map(({ path, fault }) => `${path}: ${fault}`),
  };
};

const inFigures = <K>([key, some]: [K, readonly { ms: number; fault: string | undefined }[]]): [K, Share] => {
  const times = some.map(({ ms }) => ms);
  const failed = some.filter(({ fault }) => fault !== undefined).length;
  return [key, { requests: some.length, failed, p50: quantile(times, 0.5), p95: quantile(times, 0.95) }];
};

/** How many answers came, how many of them are bad by themselves, and why the last of these is: what flips say is left out. */
export const metSoFar = (answers: readonly Answer[]): string => {
  const bad = answers.flatMap((answer) => faultOf(answer, []) ?? []);
  const last = answers.findLast((answer) => faultOf(answer, []) !== undefined);
  return `${answers.length.toLocaleString("en")} requests so far, ${bad.length} failed${last === undefined ? "" : `, the last for: ${last.path}: ${bad.at(-1)}`}`;
};

/** Why an answer is none that a visitor should get; `undefined` where it is good. */
export const faultOf = (
  { status, expected, error, release, named, sequence, start }: Answer,
  flips: readonly RecordedFlip[],
): string | undefined => {
  if (error !== null) return error;
  if (status !== expected && (status < 200 || status >= 400)) return `status ${status}`;
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
