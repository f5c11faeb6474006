import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type Figures, figuresOf, noFigures, together } from "./figures.ts";
import { run } from "./run.ts";

export type Batch = {
  readonly first: number;
  readonly seeds: number;
  /** stop at the first violation */
  readonly stop: boolean;
  /** the name of every world's theme; else each seed's own */
  readonly theme?: string | undefined;
};

/** Runs worlds one after another in this process. */
export const runHere = async ({ first, seeds, stop, theme }: Batch): Promise<Figures> => {
  let figures = noFigures();
  // the faults of the simulation are errors by the thousand, and nobody reads where they were made
  Error.stackTraceLimit = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const began = performance.now();
    const result = await run({ seed, theme });
    figures = together(figures, figuresOf(result, performance.now() - began));
    if (stop && figures.violations.length > 0) break;
  }
  return figures;
};

const SLICE = 25;

/** Runs worlds in as many processes at once as there are processors, at most `width`. */
export const runBatch = async ({ first, seeds, stop, theme }: Batch, width = availableParallelism()): Promise<Figures> => {
  if (width === 1) return runHere({ first, seeds, stop, theme });
  let next = first;
  let figures = noFigures();
  const slice = (): Batch | undefined => {
    if (next >= first + seeds || (stop && figures.violations.length > 0)) return undefined;
    const batch = { first: next, seeds: Math.min(SLICE, first + seeds - next), stop, theme };
    next += batch.seeds;
    return batch;
  };
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url));
      const more = (): void => {
        const batch = slice();
        if (batch === undefined) void worker.terminate().then(() => resolve());
        else worker.postMessage(batch);
      };
      worker.on("message", (done: Figures) => {
        figures = together(figures, done);
        more();
      });
      worker.once("error", reject);
      more();
    });
  await Promise.all(Array.from({ length: Math.min(width, Math.ceil(seeds / SLICE)) }, work));
  return figures;
};
