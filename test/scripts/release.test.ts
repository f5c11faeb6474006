import { describe, expect, it } from "vitest";
import { type Prepared, releaseChecks } from "../../scripts/release-checks.ts";

const file = (path: string, text = "") => ({ path, text });
const whole = (...more: { path: string; text: string }[]) => [
  file("package.json", '{"version":"1.2.3"}'),
  file("README.md"),
  file("LICENSE"),
  file("CHANGELOG.md"),
  ...more,
];
const ready: Prepared = {
  version: "1.2.3",
  lockVersion: "1.2.3",
  changelog: "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-12-01\n\n- more\n",
  uncommitted: [],
  tags: ["v1.2.3"],
  packages: { "dist/one": whole(file("cli/start.mjs", "import './shiplog.js'")) },
  builtIn: "/home/somebody/shiplog",
};
const wrongWith = (change: Partial<Prepared>): string[] => releaseChecks({ ...ready, ...change }).flatMap(({ wrong }) => wrong);

describe("before a release", () => {
  it("nothing is wrong where everything is ready", () => {
    expect(wrongWith({})).toEqual([]);
  });

  it.each<[string, Partial<Prepared>, string]>([
    ["a version that is none", { version: "1.2" }, '"1.2" is no version of semver'],
    ["a lockfile that was forgotten", { lockVersion: "1.2.2" }, "package-lock.json says 1.2.2: npm install --package-lock-only"],
    ["a commit without its tag", { tags: ["v1.2.2"] }, "the commit is not tagged: git tag v1.2.3"],
    ["what is not committed", { uncommitted: [" M cli/program.ts"] }, "not committed: cli/program.ts"],
    [
      "a version of which the changelog says nothing",
      { changelog: "## [1.2.2] - 2026-11-01\n" },
      'it has no heading "## [1.2.3] - <date>"',
    ],
    [
      "changes that are still under Unreleased",
      { changelog: "## [Unreleased]\n\n- new\n\n## [1.2.3] - 2026-12-01\n" },
      "changes stand under Unreleased: move them below the version",
    ],
    ["a package without its licence", { packages: { one: whole().filter(({ path }) => path !== "LICENSE") } }, "LICENSE is missing"],
    ["tests in a package", { packages: { one: whole(file("aws/test/a.ts")) } }, "aws/test/a.ts is in it"],
    ["somebody's settings in a package", { packages: { one: whole(file(".env.local")) } }, ".env.local is in it"],
    [
      "the builder's own folder in a package",
      { packages: { one: whole(file("a.js.map", '{"sources":["/home/somebody/shiplog/a.ts"]}')) } },
      "a.js.map names the folder that it was built in",
    ],
    [
      "a package of another version",
      { packages: { one: [file("package.json", '{"version":"1.2.2"}'), ...whole().slice(1)] } },
      "its package.json says 1.2.2",
    ],
  ])("%s is found", (_, change, fault) => {
    expect(wrongWith(change)).toContain(fault);
  });
});
