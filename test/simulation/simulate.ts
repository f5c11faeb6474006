import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runBatch } from "./batch.ts";
import { described } from "./figures.ts";
import { shrink } from "./shrink.ts";

/**
 * `npm run simulate -- --seeds N [--seed S] [--workers W] [--theme NAME] [--stop] [--json]`: runs N worlds from seed S on and prints what they came
 * to. Of the first violation it prints the shrunk history.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: String(availableParallelism()) },
    theme: { type: "string" },
    stop: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const began = performance.now();
const { theme } = values;
const batch = { first: Number(values.seed), seeds: Number(values.seeds), stop: values.stop, theme };
const figures = await runBatch(batch, Number(values.workers));
const [violation] = figures.violations;
console.log(values.json ? JSON.stringify(figures) : described(figures, (performance.now() - began) / 1_000));
if (violation !== undefined) {
  process.exitCode = 1;
  const shrunk = values.json ? undefined : await shrink(violation.seed, theme);
  if (shrunk !== undefined) {
    const { run, without, dropped } = shrunk;
    console.log(`\nseed ${run.seed}, without ${without.join(", ") || "nothing"}; user actions left out: ${dropped.join(", ") || "none"}`);
    console.log(run.history.join("\n"));
    console.log(`\n${run.violations.join("\n")}`);
  }
}
