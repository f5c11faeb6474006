import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COUNTS, type Counted } from "../../scripts/count-tests.ts";
import { summaryOf } from "../../scripts/test-summary.ts";

const root = join(import.meta.dirname, "../..");
const none: Counted = { passed: 0, failed: 0, failures: [], skipped: [] };

/** Runs these tests as `npm test` runs ours, and reads what was counted. */
const count = async (tests: string): Promise<Counted> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-summary-"));
  try {
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    await writeFile(join(folder, "some.test.ts"), `import { expect, it } from "vitest";\n${tests}`);
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const reporter = `--reporter=${join(root, "scripts/count-tests.ts")}`;
    const child = spawn(process.execPath, [vitest, "run", "--root", folder, reporter], {
      stdio: "ignore",
      env: { PATH: process.env.PATH ?? "", [COUNTS]: join(folder, "counts.json") },
    });
    await once(child, "exit");
    return JSON.parse(await readFile(join(folder, "counts.json"), "utf8")) as Counted;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

describe("a test that failed", () => {
  it("is named at the end, with what it said", () => {
    const failures = [{ test: "a.test.ts > sun", why: "expected 1 to be 2\nat a.test.ts:4" }];
    expect(summaryOf([{ name: "quick", ...none, passed: 3, failed: 1, failures }]).lines).toEqual([
      "quick: 3 passed, 1 failed",
      "  failed: a.test.ts > sun\n    expected 1 to be 2\n    at a.test.ts:4",
      "3 passed, 1 failed",
    ]);
  });
});

describe("a test that is skipped", () => {
  it("is counted with its reason, and without one it has none", async () => {
    const counted = await count(`
      it("passes", () => expect(1).toBe(1));
      it("fails", () => expect(1).toBe(2));
      it("waits for a moon", (context) => context.skip("there is none here"));
      it.skip("is left out", () => expect(1).toBe(1));
      it.todo("will be written");
    `);
    expect(counted).toEqual({
      passed: 1,
      failed: 1,
      failures: [{ test: "some.test.ts > fails", why: expect.stringMatching(/^expected 1 to be 2.*\nat .*some\.test\.ts:4/) }],
      skipped: [
        { test: "some.test.ts > waits for a moon", reason: "there is none here" },
        { test: "some.test.ts > is left out", reason: null },
        { test: "some.test.ts > will be written", reason: null },
      ],
    });
  }, 60_000);

  it("is none that should be explained where a hook failed before it", async () => {
    const counted = await count(`
      import { beforeAll, describe } from "vitest";
      describe("in a group", () => {
        beforeAll(() => { throw new Error("no"); });
        it("would pass", () => expect(1).toBe(1));
      });
    `);
    expect(counted).toEqual({
      passed: 0,
      failed: 0,
      failures: [{ test: "some.test.ts > in a group", why: expect.stringMatching(/^no\nat /) }],
      skipped: [{ test: "some.test.ts > in a group > would pass", reason: "a hook or its file failed" }],
    });
  }, 60_000);

  it("is told with its reason, and fails the run where it has none", () => {
    const explained = { name: "quick", ...none, passed: 3, skipped: [{ test: "a.test.ts > moon", reason: "there is none here" }] };
    expect(summaryOf([{ name: "types", ...none, passed: 1 }, explained])).toEqual({
      lines: [
        "types: 1 passed, 0 failed",
        "quick: 3 passed, 0 failed",
        "  skipped: a.test.ts > moon: there is none here",
        "1 skipped, each with its reason",
        "4 passed, 0 failed",
      ],
      failed: false,
    });
    const { lines, failed } = summaryOf([{ ...explained, skipped: [{ test: "a.test.ts > moon", reason: null }] }]);
    expect([lines.at(-1), failed]).toEqual(["3 passed, 1 failed", true]);
    expect(lines[1]).toContain("skipped without a reason: a.test.ts > moon");
  });
});
