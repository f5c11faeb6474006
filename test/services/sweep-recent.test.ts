import { describe, expect, it } from "vitest";
import type { Recorded } from "../../domain/kernel/event.ts";
import { recentOf } from "../../engine/sweep/recent.ts";
import { deploymentId, release } from "../support/samples.ts";

const NOW = Date.UTC(2026, 10, 28, 12);
const ago = (hours: number): string => new Date(NOW - hours * 3_600_000).toISOString();
const keep = { releases: 10, days: 14, window: 168, wait: 24 };

type Told = Pick<Recorded, "type" | "body" | "at">;
const live = (n: number, hours: number, previous: number | null = n === 1 ? null : n - 1): Told => ({
  type: "ReleaseWentLive",
  at: ago(hours),
  body: {
    ...{ sequence: n, deploymentId: deploymentId(n), release: release(n), reason: "deploy", actor: "ada" },
    previous: previous === null ? null : { sequence: previous, deploymentId: deploymentId(previous), release: release(previous) },
  },
});
const failed = (n: number, hours: number, type = "FlipFailed"): Told => ({
  type,
  at: ago(hours),
  body: {
    ...{ sequence: n, deploymentId: deploymentId(n) },
    ...(type === "FlipFailed" ? { flip: "rollback", reason: "a part is gone" } : { reason: "rollback", by: n + 1 }),
  },
});
const switched = (n: number, ended: number, until: string): Told => ({
  type: "EdgeSwitched",
  at: ago(1),
  body: {
    ...{ sequence: n, deploymentId: deploymentId(n), distribution: "E1" },
    route: {
      ...{ v: 1, sequence: n, address: n, release: deploymentId(n), host: ".lambda-url.eu-central-1.on.aws", server: "a", image: "b" },
      files: { set: "0123456789abcdef", rows: 0 },
    },
    ended: [{ release: deploymentId(ended), until }],
  },
});
const over = (n: number): Told => ({
  type: "ReleaseEnded",
  at: ago(0.5),
  body: { release: deploymentId(n), deploymentId: deploymentId(n), address: n, reason: "cut" },
});
const unpinned = (hours: number): Told => ({ type: "EnvironmentUnpinned", at: ago(hours), body: {} });

/** Told oldest first; `read`: how many of them were asked for. */
const recent = async (events: readonly Told[], change: Partial<typeof keep & { skewHours: number }> = {}) => {
  const { skewHours = 24, ...kept } = change;
  let read = 0;
  const back = async function* () {
    for (const event of events.toReversed()) {
      read += 1;
      yield { ...event, v: 1, stream: "environment/web/production", version: 1, actor: "ada" } as unknown as Recorded;
    }
  };
  const found = await recentOf({ back, now: () => NOW }, { site: "web", environment: "production", keep: { ...keep, ...kept }, skewHours });
  return { ...found, read };
};
const ids = (...ns: number[]): Set<string> => new Set(ns.map((n) => deploymentId(n)));

describe("what an environment's past says of its releases", () => {
  it("is what was live within the window: also what was live when it began", async () => {
    expect((await recent([live(1, 900), live(2, 200), live(3, 100), live(4, 50)])).inWindow).toEqual(ids(2, 3, 4));
    expect((await recent([live(1, 900), live(2, 200)])).inWindow).toEqual(ids());
    expect((await recent([live(1, 20)])).inWindow).toEqual(ids(1));
  });

  it("is which flips came to nothing in the last four hours, whatever the window is", async () => {
    const events = [failed(1, 5), failed(2, 3), failed(3, 3, "FlipSuperseded")];
    for (const window of [0, 168]) {
      const { mayFlip, flips } = await recent(events, { window });
      expect(mayFlip).toEqual(ids(2, 3));
      expect([...flips].map(([sequence, { deploymentId: id, mayGoOn }]) => [sequence, id, mayGoOn])).toEqual([
        [3, deploymentId(3), true],
        [2, deploymentId(2), true],
        [1, deploymentId(1), false],
      ]);
    }
  });

  it("is what the edge may still send visitors to, until that is over or somebody cuts it off", async () => {
    expect((await recent([switched(2, 1, ago(-23))], { window: 0 })).sentOn).toEqual(ids(1));
    expect((await recent([switched(2, 1, ago(0))])).sentOn).toEqual(ids());
    expect((await recent([switched(2, 1, ago(-23)), over(1)])).sentOn).toEqual(ids());
    // as long as it may last, so far is read back
    const older = { ...switched(2, 1, ago(-1)), at: ago(47) };
    const since = Array.from({ length: 40 }, () => unpinned(46));
    expect((await recent([older, ...since], { window: 0, skewHours: 48 })).sentOn).toEqual(ids(1));
  });

  it("is read no further back than it can matter, also where nothing ever went live", async () => {
    const months = Array.from({ length: 500 }, (_, n) => unpinned(9_000 - n));
    expect((await recent(months)).read).toBe(32);
    expect((await recent([...months, live(2, 3), unpinned(1)])).read).toBe(34);
  });

  it("is not cut short by a clock that was wrong for a deployment", async () => {
    const wrong = Array.from({ length: 31 }, () => unpinned(9_000));
    expect((await recent([live(1, 3), ...wrong, unpinned(1)])).inWindow).toEqual(ids(1));
  });
});
