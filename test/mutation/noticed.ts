import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { simulate } from "../simulation/mutants/hunt.ts";

/** What vitest's JSON reporter says, as far as it is read. */
type Report = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
};

/**
 * The first test that fails in a tree, as "file: its sentence"; `null` where all pass. One file after another, up to the
 * first that fails.
 *
 * @param tests files below the tree
 */
export const failingTest = async (tree: string, tests: readonly string[]): Promise<string | null> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-noticed-"));
  try {
    const output = join(folder, "report.json");
    const vitest = join(tree, "node_modules/vitest/vitest.mjs");
    const args = [
      vitest,
      "run",
      "--project",
      "quick",
      "--bail",
      "1",
      "--no-file-parallelism",
      "--reporter",
      "json",
      "--outputFile",
      output,
    ];
    const error = await new Promise<Error | null>((resolve) =>
      execFile(process.execPath, [...args, ...tests], { cwd: tree, maxBuffer: 64 * 1024 * 1024, timeout: 600_000 }, resolve),
    );
    if (error === null) return null;
    const { testResults } = JSON.parse(await readFile(output, "utf8")) as Report;
    for (const { name, status, assertionResults } of testResults) {
      const failed = assertionResults.find((test) => test.status === "failed");
      if (failed !== undefined) return `${basename(name, ".test.ts")}: ${failed.fullName}`;
      if (status === "failed") return `${basename(name, ".test.ts")}: it does not load`;
    }
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The first simulated world of a tree in which something goes wrong; `null` where nothing does. */
export const violatingSeed = async (tree: string, seeds: number): Promise<string | null> => {
  try {
    const [violation] = (await simulate(tree, seeds)).violations;
    return violation === undefined ? null : `seed ${violation.seed}`;
  } catch (error) {
    // an engine with which the simulation cannot go on is noticed too
    return `it stops: ${(error as Error).message.trim().split("\n").at(-1)}`;
  }
};
