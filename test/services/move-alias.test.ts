import { describe, expect, it } from "vitest";
import { describe as describeFence } from "../../domain/environment/fence.ts";
import type { AliasState } from "../../engine/aws/functions.ts";
import { moveAlias } from "../../services/flip-alias/move-alias.ts";
import { deploymentId } from "../support/samples.ts";

const fenceOf = (sequence: number) => ({ sequence, deploymentId: deploymentId(sequence) });
const alias = (sequence: number, weights?: Record<string, number>): AliasState => ({
  version: String(sequence),
  description: describeFence(fenceOf(sequence)),
  revisionId: `r${sequence}`,
  weights,
});

/** Flip 5 moves an alias that says this, in an environment whose highest flip is 7. */
const move = async (found: AliasState | undefined) => {
  const did: string[] = [];
  const outcome = await moveAlias(
    {
      functions: {
        alias: async () => found,
        moveAlias: async (_name, _alias, { version, description }) => {
          did.push(`moved to ${version}, ${description}`);
          return { version, description, revisionId: "r" };
        },
      },
      clock: { now: () => 0, sleep: async () => undefined, random: () => 0 },
    },
    { name: "server", version: "5" },
    "live",
    fenceOf(5),
    { highest: async () => 7, note: async ({ sequence }) => void did.push(`noted ${sequence}`) },
  );
  return { outcome, did };
};

describe("a flip's move of one alias", () => {
  it("writes nothing where an earlier delivery has moved it", async () => {
    expect(await move(alias(5))).toEqual({ outcome: { is: "there", revisionId: "r5" }, did: [] });
  });
  it("clears weights that somebody put on it since, and has them written down before", async () => {
    const { outcome, did } = await move(alias(5, { "4": 0.1 }));
    expect(outcome).toEqual({ is: "cleared", revisionId: "r" });
    expect(did).toEqual(["noted 5", `moved to 5, ${describeFence(fenceOf(5))}`]);
  });
  it("gives way to a newer flip", async () => {
    expect(await move(alias(7))).toEqual({ outcome: { is: "superseded", by: 7 }, did: [] });
  });
  it("gives way to a newer flip that comes between its look and its write", async () => {
    const aliases = [alias(4), alias(7)];
    const writes: string[] = [];
    const outcome = await moveAlias(
      {
        functions: {
          alias: async () => aliases[0],
          moveAlias: async (_name, _alias, { description }, revisionId) => {
            aliases.shift();
            if (revisionId !== aliases[0]?.revisionId) throw Object.assign(new Error("changed"), { name: "PreconditionFailedException" });
            writes.push(description);
            return { version: "5", description, revisionId: "r" };
          },
        },
        clock: { now: () => 0, sleep: async () => undefined, random: () => 0 },
      },
      { name: "server", version: "5" },
      "live",
      fenceOf(5),
      { highest: async () => 7, note: async () => undefined },
    );
    expect(outcome).toEqual({ is: "superseded", by: 7 });
    expect(writes).toEqual([]);
  });
  it.each([
    ["a sequence that nobody gave", alias(8)],
    ["its own sequence at another version", { ...alias(5), version: "9" }],
    ["somebody's own words", { ...alias(4), description: "by hand" }],
  ])("touches nothing that says %s", async (_, found) => {
    expect(await move(found)).toEqual({ outcome: { is: "drifted", found }, did: [] });
  });
});
