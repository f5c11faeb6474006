import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { each } from "../../services/kit/each.ts";
import { inTreeWith, simulate } from "../simulation/mutants/hunt.ts";
import { type Edit, edits } from "./edits.ts";

/**
 * `npm run mutate -- [--only words] [--seeds N]`: plants one small wrong edit at a time, runs the tests that concern it, then
 * simulated worlds, and prints who noticed as a table.
 */
const { values } = parseArgs({ options: { seeds: { type: "string", default: "1500" }, only: { type: "string", default: "" } } });

const root = join(import.meta.dirname, "../..");
const parts = (await readdir(root)).filter((name) => !name.startsWith(".") && name !== "node_modules" && name !== "docs");

type Outcome = { readonly edit: Edit; readonly byTests: boolean; readonly bySimulation: string | null };

const outcomeOf = (edit: Edit): Promise<Outcome> =>
  inTreeWith(edit, parts, async (tree) => {
    const byTests = await testsFail(tree, edit.tests);
    // an engine that the simulation cannot even load or end is noticed too
    const worlds = await simulate(tree, Number(values.seeds)).catch((error: Error) => ({
      violations: [{ seed: 0, what: error.message.split("\n")[0] ?? "" }],
    }));
    const [violation] = worlds.violations;
    return { edit, byTests, bySimulation: violation === undefined ? null : `seed ${violation.seed}` };
  });

/** Whether any of the tests fails; a file that is not there yet is passed over. */
const testsFail = (tree: string, tests: readonly string[]): Promise<boolean> =>
  new Promise((resolve) => {
    if (tests.length === 0) return resolve(false);
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const args = [vitest, "run", "--project", "quick", "--project", "flow", "--passWithNoTests", "--bail", "1", ...tests];
    execFile(process.execPath, args, { cwd: tree, maxBuffer: 64 * 1024 * 1024, timeout: 600_000 }, (error) => resolve(error !== null));
  });

const outcomes: Outcome[] = [];
await each(
  edits.filter(({ name }) => name.includes(values.only)),
  availableParallelism(),
  async (edit) => {
    const outcome = await outcomeOf(edit);
    outcomes.push(outcome);
    console.log(rowOf(outcome));
  },
);

const real = outcomes.filter(({ edit }) => edit.equivalent === undefined);
const caught = real.filter(({ byTests, bySimulation }) => byTests || bySimulation !== null);
const bySimulation = real.filter((outcome) => outcome.bySimulation !== null);
console.log(
  `\n${outcomes.length} edits, ${outcomes.length - real.length} equivalent; ${caught.length} of ${real.length} caught, ${bySimulation.length} of them by the simulation`,
);
process.exitCode = caught.length === real.length ? 0 : 1;

function rowOf({ edit, byTests, bySimulation: seed }: Outcome): string {
  const end = byTests || seed !== null ? "caught" : edit.equivalent === undefined ? "SURVIVED" : `equivalent: ${edit.equivalent}`;
  return `| ${edit.name} | ${byTests ? "yes" : "no"} | ${seed ?? "no"} | ${end} |`;
}
