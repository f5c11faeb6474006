import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Commit, commitId } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { sha256 } from "../../engine/log/codec.ts";
import { idOf, openFeed, PATIENT, placeOf } from "../../engine/log/event-feed.ts";
import { chained } from "../support/chained.ts";

const BEGIN = 1_700_000_000_000;

/** One commit of a stream of its own: written at that time, with the position of its writer's clock. Milliseconds from `BEGIN`. */
type Written = { readonly at: number; readonly late: number; readonly events: number };
const written: fc.Arbitrary<Written> = fc.record({
  at: fc.nat(60_000),
  // a writer may be slow, or have a clock that is ahead
  late: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: -200_000, max: -1 })),
  events: fc.integer({ min: 1, max: 4 }),
});

/** A log of those commits, as somebody sees it at a time. */
const world = (all: readonly Written[]) => {
  let now = BEGIN;
  const commits = all.map(({ at, late, events }, n) => ({ at: BEGIN + at, commit: commitOf(n, BEGIN + at - late, events) }));
  const read = async (since: string, until: string, limit = 1_000): Promise<Commit[]> =>
    commits
      .filter(({ at }) => at <= now)
      .map(({ commit }) => commit)
      .filter(({ position }) => position >= since && position < until)
      .sort((one, other) => (one.position < other.position ? -1 : one.position > other.position ? 1 : one.stream < other.stream ? -1 : 1))
      .slice(0, limit);
  return {
    clock: { now: () => now },
    log: { read },
    pass: (ms: number) => {
      now += ms;
    },
    ids: commits.flatMap(({ commit }) => (JSON.parse(commit.body) as unknown[]).map((_, index) => `${commit.id}.${index}`)),
  };
};
const commitOf = (n: number, position: number, events: number): Commit => {
  const at = new Date(position).toISOString();
  const stream = `deployment/dep_${n.toString().padStart(26, "0")}`;
  const body = JSON.stringify(Array.from({ length: events }, () => ({ type: "BuildDeferred", v: 1, body: { reason: "busy" } })));
  const commit = { stream, version: 1, id: commitId(sha256, stream, "c"), body, cause: "c", correlation: "c", actor: "a", origin: "", at };
  const [one] = chained([{ ...commit, position: positionAt(position), prev: "", hash: "" }]);
  return one as Commit;
};

/** All that a reader is given who is cut off after so many events, each time, and shows the last id again. */
const follow = async (here: ReturnType<typeof world>, cuts: readonly number[]): Promise<string[]> => {
  const given: string[] = [];
  let id: string | undefined;
  const left = [...cuts];
  const begin = () => openFeed(here, (id === undefined ? undefined : placeOf(id)) ?? positionAt(BEGIN - 300_000));
  let feed = begin();
  let until = left.shift() ?? Number.POSITIVE_INFINITY;
  for (let looks = 0; looks < 160; looks++) {
    const { fed, more } = await feed.next();
    for (const one of fed) {
      if (until === 0) break;
      given.push(one.event.id);
      id = one.id;
      until -= 1;
    }
    if (until === 0) {
      feed = begin();
      until = left.shift() ?? Number.POSITIVE_INFINITY;
    }
    if (!more) here.pass(500);
  }
  return given;
};

describe("who follows the log", () => {
  it("is given each event once, in whatever order commits appear and wherever it is cut off", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(written, { maxLength: 60 }), fc.array(fc.nat(8), { maxLength: 12 }), async (all, cuts) => {
        const here = world(all);
        expect((await follow(here, cuts)).sort()).toEqual([...here.ids].sort());
      }),
      { numRuns: 200 },
    );
  });

  it("is given a past of more than a page, in order, across cuts", async () => {
    const all = Array.from({ length: 1_300 }, (_, n) => ({ at: 0, late: 200_000 - (n >> 2), events: 1 }));
    const here = world(all);
    const given = await follow(here, [3, 700, 501]);
    expect(given).toHaveLength(1_300);
    expect(new Set(given)).toEqual(new Set(here.ids));
  });

  it("is given what follows where very much was written at once, though an id names some hundreds of commits alone", async () => {
    const all = Array.from({ length: 900 }, (_, n) => ({ at: n, late: 0, events: 1 }));
    const here = world(all);
    here.pass(1_000);
    const given = await follow(here, [890]);
    expect([given.length, new Set(given).size]).toEqual([900, 900]);
  });
});

describe("the id of an event", () => {
  it("begins with the position, fits into a header, and is read as it was written", () => {
    const seen = new Map(
      Array.from(
        { length: 1_000 },
        (_, n) => [`commit${n.toString().padStart(2, "0")}`, { position: positionAt(BEGIN + n), given: 1, whole: n % 3 !== 0 }] as const,
      ),
    );
    const id = idOf({ reached: positionAt(BEGIN + 999), from: positionAt(BEGIN), seen });
    expect(id.length).toBeLessThan(6_000);
    const place = placeOf(id);
    expect(id.startsWith(`${positionAt(BEGIN + 999)}~`)).toBe(true);
    expect([...(place?.given ?? [])].length).toBe(400);
    expect(place?.given.get("commit999")).toBe(1);
    expect(place?.given.get("commit998")).toBe(Number.POSITIVE_INFINITY);
    expect(place?.from).toBe(positionAt(BEGIN + 600));
  });
  it.each(["", "1", "000001700000000", "000001700000000~x~", "000001700000000~000001700000000~a b"])("is not %j", (text) => {
    expect(placeOf(text)).toBeUndefined();
  });
});

describe("a patient feed", () => {
  it("tells a commit that appears five minutes late, which a brief one passes over, and tells nothing twice", async () => {
    const late = { at: 290_000, late: 280_000, events: 1 };
    for (const [window, missed] of [
      [PATIENT, 0],
      [undefined, 1],
    ] as const) {
      const here = world([{ at: 0, late: 0, events: 1 }, { at: 200_000, late: 0, events: 2 }, late, { at: 300_000, late: 0, events: 1 }]);
      const given: string[] = [];
      let id = positionAt(BEGIN);
      for (let looks = 0; looks < 12; looks++) {
        // who reads it begins anew each time
        const feed = openFeed(here, placeOf(id) ?? id, window);
        const { fed } = await feed.next();
        given.push(...fed.map(({ event }) => event.id));
        id = feed.here();
        here.pass(60_000);
      }
      expect(given).toHaveLength(here.ids.length - missed);
      expect(new Set(given).size).toBe(given.length);
    }
  });

  it("goes through a past of more than a page without naming all of it", async () => {
    const many = Array.from({ length: 1_300 }, (_, n) => ({ at: n, late: 0, events: 1 }));
    const here = world(many);
    here.pass(86_400_000);
    const feed = openFeed(here, positionAt(BEGIN), PATIENT);
    const given: string[] = [];
    for (let more = true; more; ) {
      const page = await feed.next();
      given.push(...page.fed.map(({ event }) => event.id));
      ({ more } = page);
    }
    expect(new Set(given).size).toBe(1_300);
    expect(given).toHaveLength(1_300);
  });
});
