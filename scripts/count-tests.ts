import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

/** What a run of tests came to. A test that is skipped says why, with `context.skip("the reason")`. */
export type Counted = {
  readonly passed: number;
  readonly failed: number;
  /** Each test that failed, and each file or hook, with what it said. */
  readonly failures: readonly { readonly test: string; readonly why: string }[];
  readonly skipped: readonly { readonly test: string; readonly reason: string | null }[];
};

/** Where a run's counts are written to. */
export const COUNTS = "SHIPLOG_TEST_COUNTS";

type Errors = readonly { readonly message: string; readonly stack?: string; readonly diff?: string }[];

/** A reporter of Vitest that counts, and keeps what each failed test said and why each skipped one was. */
export default class CountTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], outside: Errors): void {
    const file = process.env[COUNTS];
    if (file === undefined) throw new Error(`${COUNTS} must name a file`);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const are = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    const counted: Counted = {
      passed: are("passed").length,
      failed: are("failed").length,
      failures: [
        ...are("failed").map((test) => ({ test: nameOf(test), why: told(test.result().errors ?? []) })),
        ...modules
          .flatMap((module) => [module, ...module.children.allSuites()])
          .filter(broken)
          .map((part) => ({ test: nameOf(part), why: told(part.errors()) })),
        ...outside.map((error) => ({ test: "outside of the tests", why: told([error]) })),
      ],
      // what is pending was never begun: its file or a hook failed, or the run was cut off
      skipped: [...are("skipped"), ...are("pending")].map((test) => ({
        test: nameOf(test),
        reason: reasonOf(test),
      })),
    };
    writeFileSync(file, JSON.stringify(counted));
  }
}

const fileOf = (module: TestModule): string => relative(module.project.config.root, module.moduleId);
const nameOf = (part: TestCase | TestSuite | TestModule): string =>
  part.type === "module" ? fileOf(part) : `${fileOf(part.module)} > ${part.fullName}`;

const broken = (part: TestSuite | TestModule): boolean => part.errors().length > 0;

const LINES = 30;

/** What the errors say, the line of a test where each arose, and the beginning of the difference between what is and what should be. */
const told = (errors: Errors): string =>
  errors
    .map(({ message, stack = "", diff }) => {
      const at = stack
        .split("\n")
        .find((line) => line.includes(".test.ts:"))
        ?.trim();
      return [message, ...(at === undefined ? [] : [at]), ...(diff === undefined ? [] : [diff])].join("\n");
    })
    .map((text) => stripVTControlCharacters(text).split("\n").slice(0, LINES).join("\n"))
    .join("\n");

const reasonOf = (test: TestCase): string | null => {
  const result = test.result();
  const note = result.state === "skipped" ? result.note : undefined;
  return note ?? (hasBrokenAbove(test) ? "a hook or its file failed" : null);
};

const hasBrokenAbove = ({ parent }: TestCase | TestSuite): boolean => broken(parent) || (parent.type === "suite" && hasBrokenAbove(parent));
