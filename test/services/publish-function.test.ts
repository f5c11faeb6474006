import { describe, expect, it } from "vitest";
import { isOutage } from "../../engine/aws/errors.ts";
import type { FunctionState, Settings } from "../../engine/aws/functions.ts";
import { PublishRefused, publishFunction } from "../../services/publish-release/publish-function.ts";

const wanted: Settings = { handler: "index.handler", memoryMb: 1024, timeoutSeconds: 10, variables: { COLOUR: "blue", SIZE: "big" } };
const code = { bucket: "code", key: "new.zip", sha256: "new" };
const state = (version: string, change: Partial<FunctionState> = {}): FunctionState => ({
  ...wanted,
  version,
  codeSha256: "new",
  bytes: 0,
  revisionId: "r0",
  state: "Active",
  reason: "",
  updating: false,
  updateFailed: null,
  ...change,
});
const LATEST = "$LATEST";

/** A function with versions; what `get` answers of a version, in turn, the last one for ever. */
const publish = async (versions: readonly FunctionState[], answers: Readonly<Record<string, readonly FunctionState[]>> = {}) => {
  const did: string[] = [];
  const asked: string[] = [];
  const found = new Map(versions.map((one) => [one.version, one]));
  let latest = state(LATEST, { codeSha256: "old" });
  const outcome = await publishFunction(
    {
      functions: {
        versions: async () => [...found.values()],
        get: async (_, version = LATEST) => {
          asked.push(version);
          const turns = answers[version] ?? [version === LATEST ? latest : found.get(version)];
          return turns[Math.min(asked.filter((one) => one === version).length, turns.length) - 1];
        },
        configure: async (_name, settings, revisionId) => {
          did.push(`configured at ${revisionId}`);
          latest = { ...latest, ...settings, revisionId: "r1" };
        },
        publish: async (_name, _code, _architecture, revisionId) => {
          did.push(`published at ${revisionId}`);
          const made = state(String(found.size + 1));
          found.set(made.version, made);
          return made;
        },
      },
      clock: { now: () => 0, sleep: async () => undefined, random: () => 0 },
    },
    "server",
    code,
    wanted,
    "x86_64",
  ).catch((error: Error) => error);
  return { did, asked, outcome };
};

describe("publishing a function", () => {
  it("gives way where another publisher changes its settings again and again: that may do well later, and is no failure of the step", async () => {
    const theirs = state(LATEST, { codeSha256: "old", variables: { COLOUR: "red" } });
    const { did, outcome } = await publish([], { [LATEST]: [theirs] });
    expect(did).toEqual(Array(40).fill("configured at r0"));
    expect(outcome).toMatchObject({ message: "the settings of server were changed by somebody else while it was published" });
    expect(isOutage(outcome)).toBe(true);
  });

  it("uses a version again that has the same code and the same settings, in whatever order its variables are", async () => {
    const { did, outcome } = await publish([state("1", { variables: { SIZE: "big", COLOUR: "blue" } })]);
    expect([did, outcome]).toEqual([[], { version: "1", codeSha256: "new" }]);
  });
  it.each([
    ["code", { codeSha256: "other" }],
    ["handler", { handler: "other.handler" }],
    ["memory", { memoryMb: 512 }],
    ["time limit", { timeoutSeconds: 9 }],
    ["value of a variable", { variables: { COLOUR: "red", SIZE: "big" } }],
    ["variable less", { variables: { COLOUR: "blue" } }],
    ["variable more", { variables: { COLOUR: "blue", SIZE: "big", MORE: "" } }],
    ["name of a variable", { variables: { COLOR: "blue", SIZE: "big" } }],
    ["fate: it failed", { state: "Failed" }],
  ])("does not use one again with another %s", async (_, change) => {
    const { did, outcome } = await publish([state("1", change)]);
    expect([did, outcome]).toEqual([["published at r0"], { version: "2", codeSha256: "new" }]);
  });
  it("changes the settings first, and publishes at the revision that they have then", async () => {
    const other = state(LATEST, { memoryMb: 512 });
    const { did } = await publish([], { [LATEST]: [other, state(LATEST, { revisionId: "r1" })] });
    expect(did).toEqual(["configured at r0", "published at r1"]);
  });
  it.each([
    ["an update of it is through", { updating: true }],
    ["it is made", { state: "Pending" }],
  ])("waits until %s before it changes anything", async (_, change) => {
    const { did } = await publish([], { [LATEST]: [state(LATEST, { ...change, revisionId: "passing" }), state(LATEST)] });
    expect(did).toEqual(["published at r0"]);
  });
  it("waits until the version can run", async () => {
    const { asked, outcome } = await publish([], { 1: [state("1", { state: "Pending" }), state("1", { updating: true }), state("1")] });
    expect(outcome).toMatchObject({ version: "1" });
    expect(asked.filter((version) => version === "1")).toHaveLength(3);
  });
  it("refuses a version that will never run, and a function whose last update failed", async () => {
    const failed = await publish([], { 1: [state("1", { state: "Failed", reason: "no such layer" })] });
    expect(failed.outcome).toEqual(new PublishRefused("version 1 of server cannot run: no such layer"));
    const broken = await publish([], { [LATEST]: [state(LATEST, { updateFailed: "out of space" })] });
    expect(broken.outcome).toEqual(new PublishRefused("the last update of server failed: out of space"));
    expect(broken.did).toEqual([]);
  });
});
