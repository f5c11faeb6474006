import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COUNTS, type Counted } from "./count-tests.ts";
import { type Part, summaryOf } from "./test-summary.ts";

/**
 * Everything that decides whether a change may land: types, lint, the rooms' rules, then the quick tests, those
 * of the command and of the whole engine, the check of the infrastructure, the simulated worlds and the end-to-end tests. All of them run, whatever fails. The last
 * line counts the tests, and each gate as one.
 */
const gates = ["typecheck", "lint", "rooms"] as const;
const suites = ["quick", "cli", "flow", "infra", "worlds", "e2e"] as const;

const bin = join(import.meta.dirname, "../node_modules/.bin");
const run = (command: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...more } });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });

const gate = async (name: string): Promise<Part> => {
  console.log(`\n# ${name}`);
  const code = await run("npm", ["run", "--silent", name]);
  return { name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, failures: [], skipped: [] };
};

const suite = async (name: string): Promise<Part> => {
  console.log(`\n# ${name} tests`);
  const folder = await mkdtemp(join(tmpdir(), "shiplog-test-"));
  try {
    const file = join(folder, "counts.json");
    const reporters = ["--reporter=default", `--reporter=${join(import.meta.dirname, "count-tests.ts")}`];
    const code = await run(join(bin, "vitest"), ["run", "--project", name, ...reporters], { [COUNTS]: file });
    const { passed, failed, failures, skipped } = JSON.parse(await readFile(file, "utf8")) as Counted;
    // a file that did not load, or a hook or a promise that failed outside of a test, is a failure too
    return { name, passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed, failures, skipped };
  } catch (error) {
    console.error(`the ${name} tests gave no report: ${(error as Error).message}`);
    return { name, passed: 0, failed: 1, failures: [], skipped: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const parts: Part[] = [];
for (const name of gates) parts.push(await gate(name));
for (const name of suites) parts.push(await suite(name));

const { lines, failed } = summaryOf(parts);
console.log(`\n${lines.join("\n")}`);
process.exitCode = failed ? 1 : 0;
