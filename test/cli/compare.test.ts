import { afterEach, beforeEach, expect, it } from "vitest";
import type { Comparison } from "../../domain/projections/compare.ts";
import { runCli } from "./support/run-cli.ts";
import { at, deploymentId, type StubEngine, stubEngine } from "./support/stub-engine.ts";

let engine: StubEngine;
beforeEach(async () => {
  engine = await stubEngine();
});
afterEach(() => engine.close());

const release = (n: number): Comparison["from"] => ({
  deploymentId: deploymentId(n),
  site: "web",
  environment: "production",
  sequence: n,
  status: "success",
  actor: "alice",
  queuedAt: at(0),
  why: null,
  commit: null,
  isRelease: true,
  live: [],
  files: null,
});
const version = (settings: string) => ({
  name: "web-production-server",
  version: "1",
  codeSha256: "c",
  settings,
  facts: { bytes: 1, memoryMb: 1024, timeoutSeconds: 10, architecture: "arm64", runtime: "nodejs24.x" },
});
/** What is said of the settings of the server, whose digests differ where they are two. */
const settingsSaid = async (settings: readonly [string, string], functions: readonly Comparison["variables"][number]["functions"][]) => {
  const comparison: Comparison = {
    from: release(1),
    to: release(2),
    newer: "to",
    commits: [],
    isWhole: true,
    functions: [{ role: "server", code: "same", from: version(settings[0]), to: version(settings[1]) }],
    variables: functions.map((is, n) => ({ name: `V${n}`, build: null, functions: is })),
    publicFiles: null,
  };
  engine.state.instead.set(`GET /v1/deployments/${deploymentId(1)}/compare/${deploymentId(2)}`, { status: 200, body: { comparison } });
  const { out } = await runCli(["compare", deploymentId(1), deploymentId(2)], { env: engine.env });
  return /^ *server +the same code +\S+ \S+ +(.*)$/m.exec(out)?.[1] ?? out;
};

it.each<[string, [string, string], Comparison["variables"][number]["functions"][]]>([
  ["the same settings", ["a", "a"], ["same"]],
  ["the same settings, but for what the engine gives each release", ["a", "b"], ["same", null]],
  ["variables differ, as below", ["a", "b"], ["same", "changed", "unknown"]],
  ["variables may differ, as below", ["a", "b"], ["same", "unknown"]],
])("shiplog compare says: %s", async (says, settings, functions) => {
  expect(await settingsSaid(settings, functions)).toBe(says);
});
