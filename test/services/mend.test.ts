import { describe, expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { type Deployed, type Known, mend, type Place } from "../../services/reconcile/mend.ts";

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 23, 12);
const DAY = 24 * HOUR;
const commit = (stream: string, version: number, at: number): Commit =>
  ({ stream, version, position: positionAt(at), at: new Date(at).toISOString() }) as Commit;

/** A log, how far it was relayed, and the mender that looks at it. */
const room = (commits: Commit[], notes: Record<string, number> = {}) => {
  const relayed = new Map(Object.entries(notes));
  const asked: [number, number][] = [];
  const published: string[] = [];
  const rows = new Map<string, number>();
  const known: Known[] = [];
  const begun = new Map<string, number>();
  const places: Place[] = [];
  const settled = new Map<string, string>();
  const forgotten: string[] = [];
  return {
    forgotten,
    commits,
    known,
    places,
    settled,
    begun,
    relayed,
    asked,
    published,
    rows,
    mendAt: (now: number, limit = Number.POSITIVE_INFINITY) =>
      mend({
        readLog: async (since, until, most) => {
          asked.push([Number(since), Number(until)]);
          const found = commits.filter(({ position }) => position >= since && position < until);
          return found.sort((a, b) => (a.position < b.position ? -1 : 1)).slice(0, Math.min(most, limit));
        },
        relayed: async (stream) => relayed.get(stream) ?? 0,
        known: async () => known,
        places: async () => places,
        settled: async (what) => settled.get(what),
        noteSettled: async (what, past) => void settled.set(what, past),
        begun: async () => [...begun].map(([stream, at]) => ({ stream, at })),
        forgetBegun: async (stream) => void begun.delete(stream),
        forgetUnused: async (stream) => void forgotten.push(`${stream}, noted: ${begun.has(stream)}`),
        read: async (stream, after) => commits.filter((one) => one.stream === stream && one.version > after),
        mended: async () => relayed.get("log") ?? 0,
        setMended: async (time) => void relayed.set("log", time),
        relay: async ({ stream, version }) => void relayed.set(stream, version),
        projected: async (stream) => rows.get(stream) ?? Number.POSITIVE_INFINITY,
        publish: async ({ stream, version }) => void published.push(`${stream}@${version}`),
        now: () => now,
      }),
  };
};

describe("the mender", () => {
  it("sends again what the relay lost, and nothing else", async () => {
    const { mendAt } = room([commit("a", 1, NOON), commit("b", 1, NOON), commit("b", 2, NOON + 1)], { a: 1, b: 1 });
    expect(await mendAt(NOON + HOUR / 2)).toEqual(["b"]);
    expect(await mendAt(NOON + HOUR / 2)).toEqual([]);
  });
  it("passes nothing over, however long it did not run itself", async () => {
    const { commits, mendAt } = room([]);
    await mendAt(NOON);
    commits.push(commit("a", 1, NOON + 1));
    expect(await mendAt(NOON + 72 * HOUR)).toEqual(["a"]);
  });
  it("goes on in its next run where one had more than fits", async () => {
    const { commits, relayed, mendAt } = room([]);
    await mendAt(NOON);
    for (let version = 1; version <= 5_000; version++) commits.push(commit("a", version, NOON + version));
    commits.push(commit("b", 1, NOON + 3 * HOUR));
    expect(await mendAt(NOON + 72 * HOUR)).toEqual(["a"]);
    expect(relayed.get("a")).toBe(5_000);
    expect(await mendAt(NOON + 72 * HOUR)).toEqual(["b"]);
  });
  it("looks an hour further back than where it ended: a commit may come late, and clocks differ", async () => {
    const { asked, mendAt } = room([]);
    await mendAt(NOON);
    await mendAt(NOON + HOUR);
    const [[, ended] = [0, 0], [since] = [0]] = asked;
    expect(since).toBe(ended - HOUR);
  });
  it("finds what was lost while its very first runs failed for hours, and looks no more than a day and an hour back", async () => {
    const { asked, mendAt } = room([commit("a", 1, NOON - 5 * HOUR)]);
    expect(await mendAt(NOON)).toEqual(["a"]);
    expect(NOON - (asked[0]?.[0] ?? 0)).toBeLessThan(25 * HOUR + 60_000);
  });
  it("sends the newest commit of a stream again whose row is behind for minutes", async () => {
    const { rows, published, mendAt } = room([commit("webhook/one", 1, NOON), commit("webhook/one", 2, NOON + 1)], { "webhook/one": 2 });
    rows.set("webhook/one", 1);
    await mendAt(NOON + 60_000);
    expect(published).toEqual([]);
    expect(await mendAt(NOON + HOUR / 2)).toEqual(["webhook/one"]);
    expect(published).toEqual(["webhook/one@2"]);
  });
  it("looks again where the clock stood before it was ahead", async () => {
    const { commits, mendAt } = room([]);
    await mendAt(NOON);
    await mendAt(NOON + 400 * 24 * HOUR);
    await mendAt(NOON - 72 * HOUR);
    commits.push(commit("a", 1, NOON - 72 * HOUR + 1));
    expect(await mendAt(NOON + HOUR)).toEqual(["a"]);
  });
  it("sends what a stream goes on with ahead of the clock", async () => {
    const { commits, known, relayed, mendAt } = room([commit("a", 1, NOON + 400 * 24 * HOUR)], { a: 1 });
    known.push({ stream: "a" });
    expect(await mendAt(NOON)).toEqual([]);
    commits.push(commit("a", 2, NOON + 400 * 24 * HOUR + 1));
    expect(await mendAt(NOON)).toEqual(["a"]);
    expect(relayed.get("a")).toBe(2);
  });
  it("tells the row of a known stream what it missed, whatever clock has dated it", async () => {
    for (const at of [NOON + 100 * DAY, NOON - 100 * DAY]) {
      const { known, published, mendAt } = room([commit("a", 1, NOON - HOUR), commit("a", 2, at)], { a: 2 });
      known.push({ stream: "a", version: 1 });
      expect(await mendAt(NOON)).toEqual(["a"]);
      expect(published).toEqual(["a@2"]);
    }
    // on its way, or read
    for (const [at, version] of [
      [NOON - 60_000, 1],
      [NOON - HOUR, 2],
    ] as const) {
      const { known, published, mendAt } = room([commit("a", 1, NOON - HOUR), commit("a", 2, at)], { a: 2 });
      known.push({ stream: "a", version });
      await mendAt(NOON);
      expect(published).toEqual([]);
    }
  });
  describe("asked for the newest deployments of an environment", () => {
    const PLACE = "environment/web/production";
    /** One deployment, that has ended and is on the bus. */
    const place = (change: Partial<Deployed> = {}, admitted = [1]) => {
      const here = room([commit("d1", 1, NOON - HOUR), commit("d1", 2, NOON - HOUR)], { d1: 2 });
      const state = { past: "7 d1", admitted };
      const rows: Deployed[] = [{ stream: "d1", version: 2, sequence: 1, hasEnded: true, ...change }];
      let looks = 0;
      here.places.push({
        stream: PLACE,
        state: async () => state,
        newest: async () => {
          looks += 1;
          return rows;
        },
      });
      return { ...here, state, rows, looks: () => looks, noted: () => here.settled.get(`newest/${PLACE}`) };
    };

    it("looks at them once, and again when the environment has gone on", async () => {
      const { mendAt, state, looks, noted } = place();
      for (let run = 0; run < 3; run++) expect(await mendAt(NOON)).toEqual([]);
      expect([looks(), noted()]).toEqual([1, "7 d1"]);
      state.past = "8 d1";
      await mendAt(NOON);
      expect([looks(), noted()]).toEqual([2, "8 d1"]);
    });
    it("looks again where the log was restored to an earlier moment, and is as long again", async () => {
      const { mendAt, state, looks } = place();
      await mendAt(NOON);
      state.past = "7 d9";
      await mendAt(NOON);
      expect(looks()).toBe(2);
    });
    it("looks at them also where the environment cannot be folded, at those of the others, and at what begins", async () => {
      const here = place();
      here.relayed.set("d1", 1);
      here.places.unshift({
        stream: "environment/web/broken",
        state: () => Promise.reject(new Error("unknown event")),
        newest: async () => here.rows,
      });
      here.commits.push(commit("d2", 1, NOON - HOUR));
      here.begun.set("d2", NOON - HOUR);
      expect(await here.mendAt(NOON)).toEqual(expect.arrayContaining(["d1", "d2"]));
      expect([...here.settled.keys()]).toEqual([`newest/${PLACE}`]);
    });
    it("sends the end of one that was lost, however late", async () => {
      const { mendAt, relayed, looks } = place();
      relayed.set("d1", 1);
      expect(await mendAt(NOON)).toEqual(["d1"]);
      expect([relayed.get("d1"), looks()]).toEqual([2, 1]);
    });
    it.each<[string, Partial<Deployed>, number[]]>([
      ["goes on", { hasEnded: false }, [1]],
      ["has a row that is behind", { version: 1 }, [1]],
      ["is in no list yet", {}, [1, 2]],
    ])("looks again as long as one of them %s", async (_, change, admitted) => {
      const { mendAt, looks, noted } = place(change, admitted);
      await mendAt(NOON);
      await mendAt(NOON);
      expect([looks(), noted()]).toEqual([2, undefined]);
    });
    it("looks again as long as one was admitted and none is listed", async () => {
      const { mendAt, rows, looks, noted } = place();
      rows.length = 0;
      await mendAt(NOON);
      await mendAt(NOON);
      expect([looks(), noted()]).toEqual([2, undefined]);
    });
    it("does not wait for one that is older than those which are listed", async () => {
      const { mendAt, rows, noted } = place({ sequence: 5 }, [1, 5]);
      await mendAt(NOON);
      expect([rows.length, noted()]).toEqual([1, "7 d1"]);
    });
    it("notes nothing of one that is not on the bus yet", async () => {
      const { mendAt, commits, rows, noted } = place();
      commits.push(commit("d1", 3, NOON));
      rows[0] = { stream: "d1", version: 3, sequence: 1, hasEnded: true };
      await mendAt(NOON + 1_000);
      expect(noted()).toBeUndefined();
    });
  });
  it("sends what a known stream has that a clock far behind has dated", async () => {
    const { commits, known, relayed, mendAt } = room([]);
    known.push({ stream: "a" });
    await mendAt(NOON);
    commits.push(commit("a", 1, NOON - 52 * HOUR));
    expect(await mendAt(NOON + HOUR)).toEqual(["a"]);
    expect(relayed.get("a")).toBe(1);
  });
  it.each([
    ["ahead", 400 * DAY],
    ["behind", -400 * DAY],
  ])("finds what begins while a clock is far %s, and brings it its row", async (_, off) => {
    const { commits, begun, published, relayed, rows, mendAt } = room([]);
    await mendAt(NOON);
    begun.set("webhook/one", NOON + off);
    commits.push(commit("webhook/one", 1, NOON + off));
    rows.set("webhook/one", 0);
    expect(await mendAt(NOON + HOUR)).toEqual(["webhook/one"]);
    expect(relayed.get("webhook/one")).toBe(1);
    expect(await mendAt(NOON + HOUR)).toEqual(["webhook/one"]);
    expect(published).toEqual(["webhook/one@1"]);
    rows.set("webhook/one", 1);
    expect(await mendAt(NOON + HOUR)).toEqual([]);
    expect([...begun]).toEqual([]);
  });
  it("leaves what begins at this moment to the relay and to its row", async () => {
    const { commits, begun, rows, mendAt } = room([]);
    begun.set("webhook/one", NOON);
    rows.set("webhook/one", 0);
    expect(await mendAt(NOON)).toEqual([]);
    commits.push(commit("webhook/one", 1, NOON + 1));
    expect(await mendAt(NOON + 2_000)).toEqual([]);
    expect([...begun.keys()]).toEqual(["webhook/one"]);
  });
  it("waits a day for what was said to begin, and no longer", async () => {
    const { begun, forgotten, rows, mendAt } = room([]);
    begun.set("webhook/one", NOON);
    rows.set("webhook/one", 0);
    expect(await mendAt(NOON + DAY)).toEqual([]);
    expect([...begun.keys()]).toEqual(["webhook/one"]);
    expect(await mendAt(NOON + DAY + 1)).toEqual([]);
    expect(forgotten).toEqual(["webhook/one, noted: true"]);
  });
  it("forgets what was kept for what never began, or ended, and only then the note of it", async () => {
    const { begun, forgotten, rows, mendAt } = room([]);
    for (const name of ["webhook/never", "webhook/ended"]) begun.set(name, NOON);
    rows.set("webhook/never", 0);
    rows.set("webhook/ended", 2);
    await mendAt(NOON + 120_000);
    expect(forgotten).toEqual([]);
    await mendAt(NOON + 120_001);
    expect(forgotten).toEqual(["webhook/ended, noted: true"]);
    await mendAt(NOON + DAY + 1);
    expect(forgotten).toEqual(["webhook/ended, noted: true", "webhook/never, noted: true"]);
    // its end is in the log now, and has a row
    rows.set("webhook/never", 1);
    await mendAt(NOON + DAY + 1);
    expect([...begun]).toEqual([]);
  });
  it("does not note what it could not send", async () => {
    const { relayed, mendAt } = room([commit("a", 1, NOON)]);
    relayed.set = () => {
      throw new Error("the bus is away");
    };
    await expect(mendAt(NOON + HOUR / 2)).rejects.toThrow("the bus is away");
    expect(relayed.has("log")).toBe(false);
  });
});
