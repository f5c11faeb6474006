import type { Counted } from "./count-tests.ts";

/** One gate or one suite, and what it came to. */
export type Part = { readonly name: string } & Counted;

/** A skip that says no reason is a failure: nobody can tell whether it may stay. */
const unexplained = ({ skipped }: Part): number => skipped.filter(({ reason }) => reason === null).length;
const failures = (part: Part): number => part.failed + unexplained(part);

/** What is printed at the end: a line for each part, what failed and what was skipped, and why, and the sum of all as the last line. */
export const summaryOf = (parts: readonly Part[]): { readonly lines: readonly string[]; readonly failed: boolean } => {
  const sum = (of: (part: Part) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const skipped = sum((part) => part.skipped.length - unexplained(part));
  const failed = sum(failures);
  return {
    lines: [
      ...parts.flatMap((part) => [
        `${part.name}: ${part.passed} passed, ${failures(part)} failed`,
        ...part.failures.map(({ test, why }) => `  failed: ${test}\n${why.replace(/^/gm, "    ")}`),
        ...part.skipped.map(({ test, reason }) =>
          reason === null ? `  skipped without a reason: ${test}: give one, with context.skip("…")` : `  skipped: ${test}: ${reason}`,
        ),
      ]),
      ...(skipped === 0 ? [] : [`${skipped} skipped, each with its reason`]),
      `${sum(({ passed }) => passed)} passed, ${failed} failed`,
    ],
    failed: failed > 0,
  };
};
