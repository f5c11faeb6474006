import { describe, expect, it } from "vitest";
import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { Fingerprints, PublishedFunction } from "../../domain/deployment/shapes.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { Comparison, compare, MAX_PATHS, type Side } from "../../domain/projections/compare.ts";
import { asked } from "../support/given.ts";
import { assets, at, deploymentId, release, request } from "../support/samples.ts";

const by = { actor: "ada", at: at() };
const commit = (n: number) => ({ sha: `${n}`.repeat(40), message: `Change ${n}\n\nand more`, author: "Ada" });
/** Deployments 1 to 5, of which 3 is the commit of 2 again and 4 has none; 1, 2 and 5 went live, and then 2 came back. */
const commits = [commit(1), commit(2), commit(2), undefined, commit(5)];
const live = (n: number) =>
  [
    { type: "RequestFlip", deploymentId: deploymentId(n), sequence: n, release: release(n), ...by },
    { type: "RecordWentLive", sequence: n },
  ] as const;
const past = asked(environment)(
  ...commits.flatMap((one, n) => [
    { type: "AdmitDeployment" as const, request: request(n + 1, one === undefined ? {} : { commit: one }), ...by },
    ...([1, 2, 5].includes(n + 1) ? live(n + 1) : []),
  ]),
  { type: "RequestRollback", to: deploymentId(2), why: "500s", actor: "ben", at: at() },
  { type: "RecordWentLive", sequence: 6 },
).map((event, n) => ({ ...event, version: n + 1, index: 0, at: at(n), actor: "shiplog" }) as Recorded<EnvironmentEvent>);

const NOTHING = { built: null, published: null };
type Given = { built: Fingerprints | null; published: Fingerprints | null };
const side = (
  n: number,
  { variables = NOTHING, ...more }: Partial<Side> & { variables?: Given; functions?: PublishedFunction[]; environmentName?: string } = {},
): Side => {
  const made = { ...release(n), ...(more.functions && { functions: more.functions }) };
  const deployment = {
    id: deploymentId(n),
    site: "web",
    environment: more.environmentName ?? "production",
    sequence: n,
    status: "success",
    actor: "ada",
    queuedAt: at(n),
    why: null,
    commit: commits[n - 1] ?? null,
    release: made,
    variables,
  } as Side["deployment"];
  const events = [{ type: "AssetsPublished", v: 1, body: assets }] as unknown as Recorded<DeploymentEvent>[];
  return { deployment, events, environment: past, facts: new Map(), publicFiles: undefined, ...more };
};
const between = (from: Side, to: Side) => compare(from, to, true);

describe("two releases of an environment", () => {
  it("have the commits between them newest first, each once, and none that the older one had", () => {
    const { commits: found, newer } = between(side(1), side(5));
    expect(newer).toBe("to");
    expect(found?.map(({ sequence, commit: one }) => [sequence, one?.sha ?? null])).toEqual([
      [5, commit(5).sha],
      [4, null],
      [3, commit(2).sha],
    ]);
    expect(between(side(2), side(3)).commits).toEqual([]);
  });

  it("have the same commits between them in either direction, and say which is the newer", () => {
    expect(between(side(5), side(1)).commits).toEqual(between(side(1), side(5)).commits);
    expect([between(side(5), side(1)).newer, between(side(5), side(5)).newer]).toEqual(["from", "neither"]);
    expect(between(side(5), side(5)).commits).toEqual([]);
  });

  it("say every time that each was live, and how it came", () => {
    const { from, to } = between(side(2), side(5));
    expect(from.live.map(({ how, until, why }) => [how, until === null, why])).toEqual([
      ["rollback", true, "500s"],
      ["deploy", false, null],
    ]);
    expect(to.live).toHaveLength(1);
    expect(to.live[0]?.until).toBe(from.live[0]?.since);
    expect(between(side(3), side(4)).from.live).toEqual([]);
  });

  it("say what the log has of their files, and are as the contract says", () => {
    const found = between(side(1), side(2));
    expect(found.from.files).toEqual({ uploaded: 12, unchanged: 3, bytes: 90_000 });
    expect(Comparison.parse(found)).toEqual(found);
  });
});

describe("functions", () => {
  const fn = (role: PublishedFunction["role"], code: string): PublishedFunction => ({
    role,
    name: role,
    version: "1",
    codeSha256: code,
    settings: "s",
  });
  const facts = { bytes: 100, memoryMb: 512, timeoutSeconds: 10, architecture: "arm64", runtime: "nodejs24.x" };

  it("are added, removed, changed or the same by their code", () => {
    const before = side(1, { functions: [fn("server", "a"), fn("image", "i"), fn("server-admin", "x")] });
    const after = side(2, { functions: [fn("server", "b"), fn("image", "i"), fn("revalidation", "r")] });
    const found = Object.fromEntries((between(before, after).functions ?? []).map(({ role, code }) => [role, code]));
    expect(found).toEqual({ server: "changed", image: "same", "server-admin": "removed", revalidation: "added" });
  });

  it("tell what is known of each version, and of one that is gone nothing", () => {
    const before = side(1, { functions: [fn("server", "a")], facts: new Map([["server:1", facts]]) });
    const [server] = between(before, side(2, { functions: [fn("server", "a")] })).functions ?? [];
    expect([server?.from?.facts, server?.to?.facts]).toEqual([facts, null]);
  });

  it("are not compared where one of the two never became a release", () => {
    const unfinished = side(2);
    const found = between(side(1), { ...unfinished, deployment: { ...unfinished.deployment, release: null } });
    expect([found.functions, found.to.isRelease, found.from.isRelease]).toEqual([null, false, true]);
  });
});

describe("variables", () => {
  const variables = (given: Fingerprints | null): Given => ({ built: given, published: given });
  const [a, b] = ["a".repeat(16), "b".repeat(16)];

  it("differ by name, and no fingerprint is told", () => {
    const found = between(
      side(1, { variables: variables({ KEPT: a, CHANGED: a, GONE: a }) }),
      side(2, { variables: variables({ KEPT: a, CHANGED: b, NEW: b }) }),
    );
    expect(found.variables.map(({ name, functions }) => [name, functions])).toEqual([
      ["CHANGED", "changed"],
      ["GONE", "removed"],
      ["KEPT", "same"],
      ["NEW", "added"],
    ]);
    expect(JSON.stringify(found)).not.toMatch(/a{16}|b{16}/);
  });

  it("of which a build had another value than its functions say both", () => {
    const was = side(1, { variables: { built: { URL: a }, published: { URL: a } } });
    const is = side(2, { variables: { built: { URL: a }, published: { URL: b } } });
    expect(between(was, is).variables).toEqual([{ name: "URL", build: "same", functions: "changed" }]);
  });

  it("are unknown where the log does not say what one was given", () => {
    const found = between(side(1), side(2, { variables: variables({ URL: a }) })).variables;
    expect(found).toEqual([{ name: "URL", build: "unknown", functions: "unknown" }]);
  });

  it("that are named like what every object has are variables", () => {
    const found = between(side(1, { variables: variables({}) }), side(2, { variables: variables({ constructor: a }) })).variables;
    expect(found).toEqual([{ name: "constructor", build: "added", functions: "added" }]);
  });
});

describe("public files", () => {
  const files = (all: Record<string, string>) => Object.entries(all).map(([path, sha256]) => ({ path, sha256 }));

  it("are added, removed and changed by path, and the rest is counted", () => {
    const found = between(
      side(1, { publicFiles: files({ "a.txt": "1", "b.txt": "1", "c.txt": "1" }) }),
      side(2, { publicFiles: files({ "a.txt": "1", "b.txt": "2", "d.txt": "1" }) }),
    ).publicFiles;
    expect(found).toEqual({
      added: { count: 1, paths: ["d.txt"] },
      removed: { count: 1, paths: ["c.txt"] },
      changed: { count: 1, paths: ["b.txt"] },
      same: 1,
    });
  });

  it("are named up to a number, and counted all", () => {
    const many = files(Object.fromEntries(Array.from({ length: MAX_PATHS + 50 }, (_, n) => [`f${n}`, "1"])));
    const found = between(side(1, { publicFiles: [] }), side(2, { publicFiles: many })).publicFiles;
    expect([found?.added.count, found?.added.paths.length]).toEqual([MAX_PATHS + 50, MAX_PATHS]);
  });

  it("are not compared where a list is gone", () => {
    expect(between(side(1, { publicFiles: [] }), side(2)).publicFiles).toBeNull();
  });
});

describe("releases of two environments", () => {
  const a = "a".repeat(16);
  it("have no order, no commits between them, and no values that could be held against each other", () => {
    const given = { built: { URL: a }, published: { URL: a, ONLY: a } };
    const found = between(
      side(1, { variables: given }),
      side(2, { environmentName: "preview", variables: { built: { URL: a }, published: { URL: a } } }),
    );
    expect([found.newer, found.commits]).toEqual([null, null]);
    expect(found.variables).toEqual([
      { name: "ONLY", build: null, functions: "removed" },
      { name: "URL", build: "unknown", functions: "unknown" },
    ]);
  });
});
