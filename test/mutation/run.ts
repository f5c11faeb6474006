import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { each } from "../../engine/kit/each.ts";
import { inTreeWith } from "../simulation/mutants/hunt.ts";
import { type Edit, edits } from "./edits.ts";
import { failingTest, violatingSeed } from "./noticed.ts";

/**
 * `npm run mutate -- [--seeds N] [--at-once N] [--no-tests] [words …]`: plants one small wrong edit at a time, runs the tests that concern
 * it, then simulated worlds, and prints who noticed as a table. With words: only the edits with one of them in their name.
 * `--no-tests`: worlds alone.
 */
const { values, positionals: words } = parseArgs({
  options: {
    seeds: { type: "string", default: "1500" },
    "at-once": { type: "string", default: "1" },
    tests: { type: "boolean", default: true },
  },
  allowPositionals: true,
  allowNegative: true,
});
const seeds = Number(values.seeds);
/** `null` where none fails, or none is to be run. */
const failing = async (tree: string, tests: readonly string[]): Promise<string | null> => (values.tests ? failingTest(tree, tests) : null);
const chosen = edits.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));

const root = join(import.meta.dirname, "../..");
const parts = (await readdir(root)).filter((name) => !name.startsWith(".") && name !== "node_modules" && name !== "docs");

type Outcome = { readonly edit: Edit; readonly byTest: string | null; readonly bySimulation: string | null };

// what fails without any edit would be seen to catch every edit
await inTreeWith({ name: "nothing", changes: [] }, parts, async (tree) => {
  const anyway = await failing(tree, [...new Set(chosen.flatMap(({ tests }) => tests))]);
  if (anyway !== null) throw new Error(`this test fails without any edit: ${anyway}`);
});

const outcomes: Outcome[] = [];
await each(chosen, Number(values["at-once"]), async (edit) => {
  const outcome = await inTreeWith(edit, parts, async (tree) => ({
    edit,
    byTest: await failing(tree, edit.tests),
    bySimulation: await violatingSeed(tree, seeds),
  }));
  outcomes.push(outcome);
  console.log(rowOf(outcome));
});

const real = outcomes.filter(({ edit }) => edit.equivalent === undefined);
const byTests = real.filter(({ byTest }) => byTest !== null);
const bySimulation = real.filter((outcome) => outcome.bySimulation !== null);
const survived = real.filter((outcome) => outcome.byTest === null && outcome.bySimulation === null);
console.log(
  `\n${outcomes.length} edits, ${outcomes.length - real.length} equivalent; of the other ${real.length}, ${byTests.length} are caught by a test, ${bySimulation.length} by the simulation (${seeds} seeds), ${survived.length} by nobody`,
);
process.exitCode = survived.length === 0 ? 0 : 1;

function rowOf({ edit, byTest, bySimulation }: Outcome): string {
  const end =
    byTest !== null || bySimulation !== null ? "caught" : edit.equivalent === undefined ? "SURVIVED" : `equivalent: ${edit.equivalent}`;
  return `| ${edit.name} | ${byTest ?? "–"} | ${bySimulation ?? "–"} | ${end} |`;
}
