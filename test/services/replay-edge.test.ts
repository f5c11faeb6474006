import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesKey, liveKey, releaseKey } from "../../blueprint/edge-table.ts";
import type { EdgeTable } from "../../engine/aws/edge-table.ts";
import { FilesMissing } from "../../engine/open-next/public-set.ts";
import { type Ports, replayEdge, verifyEdge } from "../../operator/replay/edge.ts";
import { flipRoom } from "../support/flip-room.ts";
import { at, deploymentId } from "../support/samples.ts";
import { startVerbRoom, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const LIVE = liveKey("E1");
const DAY = 24 * 60 * 60_000;
const rowOf = (n: number): string => releaseKey("E1", deploymentId(n));
const by = { actor: "ada", at: at() };
const SET = "5".repeat(16);
const fileRows = Array.from({ length: 120 }, (_, row) => `0000000${row % 10}`);
const filesAt = (row: number): string => filesKey("E1", SET, row);

type Change = Partial<Ports> & { readonly table?: Partial<EdgeTable>; readonly distribution?: string };

/** A site with these deployments, each brought live, and what an operator does with its edge's table. */
const site = async (name: string, live: readonly number[], files?: Parameters<typeof flipRoom>[2]) => {
  const here = flipRoom(room, name, files);
  const flips = async (n: number): Promise<void> => {
    await here.asks(n);
    await here.delivers();
  };
  for (const n of live) await flips(n);
  const run = (work: typeof replayEdge, { table = {}, distribution = "E1", ...change }: Change) =>
    work(
      { clock: room.clock, events: room.events, fileRows: async () => fileRows, ...change, edgeTable: { ...here.edge.table, ...table } },
      [{ site: name, environment: "production", table: "table", distribution }],
    );
  return {
    ...here,
    flips,
    rows: () => new Map(here.edge.rows),
    row: (key: string) => JSON.parse(here.edge.rows.get(key) ?? "null") as Record<string, unknown> | null,
    empties: (): void => {
      for (const key of [...here.edge.rows.keys()]) here.edge.hand(key, undefined);
    },
    replays: (change: Change = {}) => run(replayEdge, change),
    verifies: (change: Change = {}) => run(verifyEdge, change),
  };
};
const cut = (n: number) => ({ type: "CutRelease", deploymentId: deploymentId(n), ...by }) as const;

describe("a replay of the edge", () => {
  it("writes a table that was lost as it was, with the ends of the releases that are still reached", async () => {
    const here = await site("lost", [1, 2, 3]);
    const before = here.rows();
    expect(await here.verifies()).toMatchObject({ rows: 4, differences: [], written: [], strangers: [], unlisted: [] });
    here.empties();
    const { differences } = await here.verifies();
    expect(differences.map(({ place, key, what }) => `${place} ${key}: ${what}`).sort()).toEqual(
      [LIVE, rowOf(1), rowOf(2), rowOf(3)].map((key) => `lost/production ${key}: there is no row`),
    );
    const replayed = await here.replays();
    expect(replayed).toMatchObject({ rows: 4, differences: [], deleted: [] });
    expect(replayed.written.at(-1)).toBe(LIVE);
    expect(here.rows()).toEqual(before);
    expect(here.row(rowOf(1))?.until).toBeGreaterThan(0);
    const { length } = here.edge.writes;
    expect(await here.replays()).toMatchObject({ rows: 4, written: [] });
    expect(here.edge.writes).toHaveLength(length);
  });

  it("does not write rows of releases that were cut off or whose time is over", async () => {
    const here = await site("over", [11, 12, 13]);
    await room.environment("over", cut(11));
    here.empties();
    const late = { clock: { ...room.clock, now: () => room.clock.now() + 2 * DAY } };
    expect((await here.replays(late)).written).toEqual([rowOf(13), LIVE]);
    expect((await here.replays()).written).toEqual([rowOf(12)]);
    expect(await here.verifies()).toMatchObject({ differences: [] });
    expect(here.edge.rows.has(rowOf(11))).toBe(false);
  });

  it("puts right what a hand wrote, deletes what the log does not have, and touches nothing of others", async () => {
    const here = await site("hands", [21, 22]);
    const before = here.rows();
    here.edge.hand(LIVE, "by hand");
    here.edge.hand(rowOf(21), JSON.stringify({ ...here.row(rowOf(21)), until: 4_000_000_000 }));
    here.edge.hand(rowOf(29), JSON.stringify({ ...here.row(rowOf(22)), release: deploymentId(29) }));
    const others = ["live:E2", "release:E10:x", "somebody's"];
    for (const key of others) here.edge.hand(key, "theirs");
    const found = await here.verifies();
    expect(found.differences.map(({ key, what }) => [key, what])).toEqual([
      [rowOf(21), "until is 4000000000, and the log says 1795521600"],
      [LIVE, 'it says something else than the log: "by hand"'],
      [rowOf(29), "the log has no such row"],
    ]);
    const replayed = await here.replays();
    expect(replayed).toMatchObject({ differences: [], written: [rowOf(21), LIVE], deleted: [rowOf(29)], strangers: others });
    expect(here.rows()).toEqual(new Map([...before, ...others.map((key) => [key, "theirs"] as const)]));
  });

  it("gives a row of what has ended its end, so that it is taken away when no edge can have it any more", async () => {
    const here = await site("ended", [31, 32]);
    const endless = JSON.stringify(here.row(rowOf(32)));
    await room.environment("ended", cut(31));
    expect(await here.verifies()).toMatchObject({ differences: [] });
    here.edge.hand(rowOf(31), endless.replaceAll(deploymentId(32), deploymentId(31)));
    expect((await here.replays()).written).toEqual([rowOf(31)]);
    expect(here.row(rowOf(31))).toMatchObject({ release: deploymentId(31), until: room.clock.now() / 1_000 });
    here.edge.hand(rowOf(31), JSON.stringify({ ...here.row(rowOf(31)), until: 4_000_000_000 }));
    expect((await here.replays()).written).toEqual([rowOf(31)]);
    expect(await here.verifies()).toMatchObject({ differences: [] });
  });

  it("leaves what a flip wrote that is under way, and names what one wrote that was given up", async () => {
    const here = await site("newer", [41]);
    await here.asks(42);
    const newer = JSON.stringify({ ...here.row(LIVE), sequence: 42, address: 42, release: deploymentId(42) });
    here.edge.hand(LIVE, newer);
    here.edge.hand(rowOf(42), newer);
    expect(await here.replays()).toMatchObject({ written: [], deleted: [], differences: [] });
    await room.environment("newer", { type: "RecordFlipFailed", sequence: 42, reason: "it died", moved: true });
    const { written, deleted, differences } = await here.replays();
    expect([written, deleted]).toEqual([[], []]);
    expect(differences.map(({ key, what }) => [key, what.slice(0, 35)])).toEqual([
      [LIVE, "flip 42 wrote it and was given up: "],
      [rowOf(42), "flip 42 wrote it and was given up: "],
    ]);
    expect(here.row(LIVE)).toMatchObject({ sequence: 42 });
  });

  it("takes a sequence that nobody was given for a hand's, also on a release's own row", async () => {
    const here = await site("sequence", [44, 45]);
    const before = here.rows();
    for (const key of [LIVE, rowOf(44)]) here.edge.hand(key, JSON.stringify({ ...here.row(key), sequence: 999_999 }));
    expect((await here.replays()).written).toEqual([rowOf(44), LIVE]);
    expect(here.rows()).toEqual(before);
  });

  it("leaves rows of what is live to a flip that is under way, and writes the others", async () => {
    const here = await site("under-way", [46, 47]);
    const before = here.rows();
    await here.asks(48);
    here.empties();
    const { written, differences } = await here.replays();
    expect(written).toEqual([rowOf(46)]);
    const what = "there is no row; flip 48 is under way and writes it: look again once it has ended";
    expect(differences).toEqual([rowOf(47), LIVE].map((key) => ({ place: "under-way/production", key, what })));
    await here.delivers();
    expect(await here.verifies()).toMatchObject({ rows: 4, differences: [] });
    expect(here.rows().get(rowOf(46))).toBe(before.get(rowOf(46)));
    expect(here.row(rowOf(47))).toHaveProperty("until");
  });

  it("takes the end of a row for what it is that a later flip gave to one that died before it said so", async () => {
    const here = await site("died", [51]);
    await here.asks(52);
    const lost = JSON.stringify({ ...here.row(LIVE), sequence: 52, address: 52, release: deploymentId(52) });
    await here.asks(53);
    here.edge.hand(LIVE, lost);
    here.edge.hand(rowOf(52), lost);
    await here.delivers();
    expect(here.row(rowOf(52))).toHaveProperty("until");
    expect(await here.verifies()).toMatchObject({ differences: [] });
    here.edge.hand(rowOf(52), JSON.stringify({ ...here.row(rowOf(52)), until: 4_000_000_000 }));
    expect((await here.replays()).deleted).toEqual([rowOf(52)]);
  });

  it("gives way to a flip between its look at the table and its write", async () => {
    const here = await site("race", [61, 62]);
    here.empties();
    const { list } = here.edge.table;
    let raced = false;
    const table = {
      list: async (store: string) => {
        const rows = await list(store);
        if (!raced) {
          raced = true;
          await here.flips(63);
        }
        return rows;
      },
    };
    const { written, differences } = await here.replays({ table });
    expect(here.row(LIVE)).toMatchObject({ sequence: 63 });
    expect(here.row(rowOf(63))).not.toHaveProperty("until");
    expect([...written].sort()).toEqual([rowOf(61)]);
    expect(differences).toEqual([]);
  });

  it("takes no flip for a difference that goes live while it compares", async () => {
    const here = await site("verify-race", [71]);
    const { list } = here.edge.table;
    let raced = false;
    const table = {
      list: async (store: string) => {
        const rows = await list(store);
        if (!raced) await here.flips(72);
        raced = true;
        return rows;
      },
    };
    expect(await here.verifies({ table })).toMatchObject({ rows: 3, differences: [] });
  });

  it("gives up a table that others change again and again, and compares it as it is", async () => {
    const here = await site("busy", [76]);
    here.empties();
    const { list } = here.edge.table;
    let count = 0;
    const table = {
      list: async (store: string) => {
        const rows = await list(store);
        here.edge.hand("live:E2", String(++count));
        return rows;
      },
    };
    expect((await here.verifies({ table })).differences).toHaveLength(2);
    await expect(here.replays({ table })).rejects.toThrow("others changed the table table each of the 30 times");
    expect(here.edge.rows.has(LIVE)).toBe(false);
  });

  it("says where keys may not be listed, and puts right those that the log speaks of", async () => {
    const here = await site("unlisted", [81, 82]);
    const before = here.rows();
    here.empties();
    here.edge.hand(rowOf(89), before.get(rowOf(82)));
    const table = { list: async () => undefined };
    expect((await here.verifies({ table })).differences).toHaveLength(3);
    expect(await here.replays({ table })).toMatchObject({ rows: 3, deleted: [], differences: [], unlisted: ["table"], strangers: [] });
    expect(await here.verifies({ table })).toMatchObject({ rows: 3, differences: [] });
    expect(here.rows()).toEqual(new Map([...before, [rowOf(89), before.get(rowOf(82)) ?? ""]]));
  });

  it("finds nothing wrong where nothing has gone live yet, nor while the first flip is at work", async () => {
    const here = await site("first", []);
    expect(await here.verifies()).toMatchObject({ rows: 0, differences: [] });
    await here.asks(95);
    here.edge.hand(LIVE, "what the flip has just written");
    expect(await here.replays()).toMatchObject({ written: [], deleted: [], differences: [] });
  });

  it("looks again where a row that it deletes was deleted by others", async () => {
    const here = await site("deleted", [96]);
    const foreign = [rowOf(98), rowOf(99)];
    for (const key of foreign) here.edge.hand(key, "by hand");
    let asked = 0;
    const update: EdgeTable["update"] = async (...change) => {
      if (++asked > 1) return here.edge.table.update(...change);
      here.edge.hand(rowOf(98), undefined);
      throw Object.assign(new Error("There is no key"), { name: "ResourceNotFoundException" });
    };
    expect(await here.replays({ table: { update } })).toMatchObject({ deleted: [rowOf(99)], differences: [] });
  });

  it("neither writes nor deletes on the word of a log that knows nothing of the distribution", async () => {
    const here = await site("stage", [91]);
    const other = liveKey("E7");
    here.edge.hand(other, "of another engine");
    const before = here.rows();
    const { differences, written, deleted } = await here.replays({ distribution: "E7" });
    expect([differences.map(({ key }) => key), written, deleted]).toEqual([[other], [], []]);
    const empty = await here.replays({ distribution: "E7", events: async () => [] });
    expect([empty.differences.map(({ key }) => key), empty.written, empty.deleted]).toEqual([[other], [], []]);
    expect(here.rows()).toEqual(before);
  });

  it("writes public files' rows before what names them, their first row last, fifty to a request", async () => {
    const here = await site("files", [101], { files: { set: SET, rows: fileRows.length }, rows: fileRows });
    const before = here.rows();
    expect(await here.verifies()).toMatchObject({ rows: fileRows.length + 2, differences: [] });
    here.empties();
    const from = here.edge.writes.length;
    let looks = 0;
    const { list } = here.edge.table;
    const counted: EdgeTable["list"] = (store) => {
      looks += 1;
      return list(store);
    };
    await here.replays({ table: { list: counted } });
    expect([here.rows(), looks]).toEqual([before, 1]);
    const writes = here.edge.writes.slice(from);
    expect(writes.map((keys) => keys.length)).toEqual([50, 50, 22]);
    expect(writes.flat().slice(-3)).toEqual([filesAt(0), rowOf(101), LIVE]);

    here.edge.hand(filesAt(7), "00000000");
    here.edge.hand(filesKey("E1", "6".repeat(16), 0), "of a release that is being published");
    expect(await here.replays()).toMatchObject({ written: [filesAt(7)], deleted: [] });
  });

  it("writes nothing after it was interrupted", async () => {
    const here = await site("interrupted", [106]);
    here.empties();
    await expect(here.replays({ signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
    expect(here.rows().size).toBe(0);
  });

  it("goes on where it was cut off, and says which public files nobody can name any more", async () => {
    const here = await site("cut", [111], { files: { set: SET, rows: fileRows.length }, rows: fileRows });
    const before = here.rows();
    here.empties();
    let updates = 0;
    const update: EdgeTable["update"] = async (...asked) => {
      if (++updates === 2) throw new Error("it died");
      return here.edge.table.update(...asked);
    };
    await expect(here.replays({ table: { update } })).rejects.toThrow("it died");
    expect(here.edge.rows.has(LIVE)).toBe(false);
    await here.replays();
    expect(here.rows()).toEqual(before);

    here.edge.hand(LIVE, undefined);
    const gone = { fileRows: () => Promise.reject(new FilesMissing("its manifest is gone")) };
    const { written, differences } = await here.replays(gone);
    expect(written).toEqual([LIVE]);
    expect(differences).toEqual([
      { place: "cut/production", key: filesAt(0), what: "nobody can say what it should be: its manifest is gone" },
    ]);
  });
});
