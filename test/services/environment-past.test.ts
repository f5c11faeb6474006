import { describe, expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { emptyEnvironment } from "../../domain/projections/environment-view.ts";
import { ChainBroken } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { NEWEST } from "../../engine/log/read-back.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import { WAYPOINT_EVERY, type Waypoint, type Waypoints } from "../../engine/views/waypoint-notes.ts";
import { environmentPast } from "../../services/api/environment-past.ts";
import { longHistory } from "../support/long-history.ts";

const STREAM = environmentStream("web", "production");
const whole = [...longHistory({ seed: 7, events: 12_000, sites: ["web"], environments: ["production"] })].filter(
  ({ stream }) => stream === STREAM,
);
const END = "9".repeat(15);

/** A log's environment with waypoints beside it; counts the commits that are read. */
const past = (commits: readonly Commit[] = whole, rows = new Map<string, Waypoint>()) => {
  const count = { read: 0, pages: 0 };
  const sorted = () => [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  const views: Waypoints = {
    waypointBefore: async (_, position) => structuredClone(sorted().findLast(([at]) => at < position)?.[1]),
    waypointAfter: async (_, position) => structuredClone(sorted().find(([at]) => at > position)?.[1]),
    noteWaypoint: async ({ version, hash, position }, view) => void rows.set(position, structuredClone({ version, hash, view })),
  };
  const read = async (_: string, after: number, limit = commits.length): Promise<readonly Commit[]> => {
    const found = commits.filter(({ version }) => version > after).slice(0, limit);
    count.read += found.length;
    count.pages += 1;
    return found;
  };
  return { ...environmentPast({ read, views }), passingOver: environmentPast({ read, views }, "passed over"), rows, count };
};
const foldOf = (commits: readonly Commit[]) => {
  const empty = emptyEnvironment("web", "production");
  return foldRow("environments", empty, commits.flatMap(eventsOf)) ?? empty;
};
const positionOf = (version: number): string => whole[version - 1]?.position ?? END;

describe("an environment's past", () => {
  it("is long enough here", () => expect(whole.length).toBeGreaterThan(5 * WAYPOINT_EVERY));

  it("is the fold of everything before a moment, with waypoints and without", async () => {
    const { upTo, rows } = past();
    const versions = [1, 2, WAYPOINT_EVERY, WAYPOINT_EVERY + 1, 2 * WAYPOINT_EVERY + 7, whole.length, whole.length + 1];
    for (const version of [...versions, ...versions]) {
      const position = version > whole.length ? END : positionOf(version);
      expect(await upTo(STREAM, position), `before ${version}`).toEqual(foldOf(whole.slice(0, version - 1)));
    }
    expect(rows.size).toBe(Math.floor(whole.length / WAYPOINT_EVERY));
  });

  it("costs no more, the longer it is, once somebody has passed there", async () => {
    const { upTo, count } = past();
    await upTo(STREAM, END);
    expect(count.read).toBeLessThan(whole.length * 1.1);
    for (const version of [600, 2_000, whole.length]) {
      count.read = 0;
      expect(await upTo(STREAM, positionOf(version))).toEqual(foldOf(whole.slice(0, version - 1)));
      expect(count.read).toBeLessThanOrEqual(WAYPOINT_EVERY + 1);
    }
  });

  it("goes on by large pages where the next waypoint is far away: they were of another shape, or many messages came at once", async () => {
    const { upTo, rows, count } = past();
    await upTo(STREAM, END);
    for (const position of [...rows.keys()].slice(1, -1)) rows.delete(position);
    count.pages = 0;
    expect(await upTo(STREAM, positionOf(whole.length - WAYPOINT_EVERY))).toEqual(
      foldOf(whole.slice(0, whole.length - WAYPOINT_EVERY - 1)),
    );
    expect(count.pages).toBeLessThanOrEqual(2 + Math.ceil(whole.length / 500));
  });

  it("takes no waypoint of another log's past", async () => {
    const { rows, upTo } = past();
    await upTo(STREAM, END);
    for (const [position, row] of rows) rows.set(position, { ...row, hash: "another", view: emptyEnvironment("web", "production") });
    for (const version of [WAYPOINT_EVERY + 3, whole.length])
      expect(await upTo(STREAM, positionOf(version))).toEqual(foldOf(whole.slice(0, version - 1)));
    // nor one that lies behind the end of a log that was set back
    const short = past(whole.slice(0, 20), new Map([["000000000000001", { version: 500, hash: "h", view: emptyEnvironment("x", "y") }]]));
    expect(await short.upTo(STREAM, END)).toEqual(foldOf(whole.slice(0, 20)));
  });

  it("is refused where its chain breaks, and nobody is led past that by a waypoint; who passes over it leaves none", async () => {
    const at = WAYPOINT_EVERY - 10;
    const changed = whole.map((commit) => (commit.version === at ? { ...commit, actor: "innocent-bob" } : commit));
    const { upTo, passingOver, rows } = past(changed);
    await expect(upTo(STREAM, END)).rejects.toThrow(ChainBroken);
    expect(rows.size).toBe(0);
    expect(await passingOver.upTo(STREAM, END)).toEqual(foldOf(changed));
    expect(rows.size).toBe(0);
    // before it, it is what it was
    expect(await upTo(STREAM, positionOf(at - WAYPOINT_EVERY / 2))).toEqual(foldOf(whole.slice(0, at - WAYPOINT_EVERY / 2 - 1)));
  });

  it("is read back from the waypoint behind the moment, where the log has its commit", async () => {
    const { above, upTo, rows, count } = past();
    expect(await above(STREAM, positionOf(3))).toBe(NEWEST);
    await upTo(STREAM, END);
    count.read = 0;
    expect(await above(STREAM, positionOf(3))).toBe(WAYPOINT_EVERY);
    expect(await above(STREAM, positionOf(WAYPOINT_EVERY))).toBe(2 * WAYPOINT_EVERY);
    expect(await above(STREAM, END)).toBe(NEWEST);
    expect(count.read).toBe(2);
    for (const [position, row] of rows) rows.set(position, { ...row, hash: "another" });
    expect(await above(STREAM, positionOf(3))).toBe(NEWEST);
  });
});
