/** One side of a comparison: does its work once and says how many milliseconds the measured part took. */
export type Side = () => Promise<number>;

export type Ratios = {
  /** milliseconds of each round, in the order of the rounds */
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** theirs / ours of each round: as a throughput, how much of theirs we reach */
  readonly ratios: readonly number[];
};

/**
 * Measures two sides of the same work in turns: A B, B A, A B … Both sides of a round meet the same machine, so a
 * neighbour's load changes the milliseconds and hardly the ratio of the round.
 *
 * @param prepare runs before each round, outside of every clock
 */
export const sideBySide = async (
  { ours, theirs }: { ours: Side; theirs: Side },
  { rounds, warmUp, prepare = async () => undefined }: { rounds: number; warmUp: number; prepare?: () => Promise<unknown> },
): Promise<Ratios> => {
  const measured = { ours: [] as number[], theirs: [] as number[], ratios: [] as number[] };
  for (let round = -warmUp; round < rounds; round++) {
    await prepare();
    const first = round % 2 === 0 ? await ours() : await theirs();
    const second = round % 2 === 0 ? await theirs() : await ours();
    if (round < 0) continue;
    const [mine, other] = round % 2 === 0 ? [first, second] : [second, first];
    measured.ours.push(mine);
    measured.theirs.push(other);
    measured.ratios.push(other / mine);
  }
  return measured;
};

export const stopwatch = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

/** The value below which that share of the list lies (nearest rank). */
export const quantile = (list: readonly number[], share: number): number => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};
export const median = (list: readonly number[]): number => {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
};
