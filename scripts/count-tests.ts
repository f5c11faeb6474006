import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

/** What a run of tests came to. A test that is skipped says why, with `context.skip("the reason")`. */
export type Counted = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { readonly test: string; readonly reason: string | null }[];
};

/** Where a run's counts are written to. */
export const COUNTS = "SHIPLOG_TEST_COUNTS";

/** A reporter of Vitest that counts, and keeps the reason of each test that was skipped. */
export default class CountTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env[COUNTS];
    if (file === undefined) throw new Error(`${COUNTS} must name a file`);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const are = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    const counted: Counted = {
      passed: are("passed").length,
      failed: are("failed").length,
      // what is pending was never begun: its file or a hook failed, or the run was cut off
      skipped: [...are("skipped"), ...are("pending")].map((test) => ({
        test: `${relative(test.project.config.root, test.module.moduleId)} > ${test.fullName}`,
        reason: reasonOf(test),
      })),
    };
    writeFileSync(file, JSON.stringify(counted));
  }
}

const reasonOf = (test: TestCase): string | null => {
  const result = test.result();
  const note = result.state === "skipped" ? result.note : undefined;
  return note ?? (hasBrokenAbove(test) ? "a hook or its file failed" : null);
};

const hasBrokenAbove = ({ parent }: TestCase | TestSuite): boolean =>
  parent.errors().length > 0 || (parent.type === "suite" && hasBrokenAbove(parent));
