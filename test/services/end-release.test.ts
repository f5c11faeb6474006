import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { liveKey, releaseKey } from "../../blueprint/edge-table.ts";
import type { Subscribed } from "../../blueprint/topology.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { endRelease, type Ports } from "../../services/end-release/end-release.ts";
import { flipRoom } from "../support/flip-room.ts";
import { at, deploymentId, functions } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";
import { startVerbRoom, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

type Ended = Recorded<Subscribed<"end-release">>;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const LIVE = liveKey("E1");
const [, server] = functions(1).map(({ name }) => name) as [string, string];
const rowOf = (n: number): string => releaseKey("E1", deploymentId(n));
const endsBy = (n: number): EnvironmentCommand => ({
  type: "EndRelease",
  release: deploymentId(n),
  reason: "window",
  at: new Date(Date.parse(at()) + 2 * DAY).toISOString(),
});
const cut = (n: number): EnvironmentCommand => ({ type: "CutRelease", deploymentId: deploymentId(n), actor: "ada", at: at() });

/** Deployments n and n + 1, of which the second is live; the first has ended as it is said. */
const leftAt = async (name: string, n: number, how: (n: number) => EnvironmentCommand) => {
  const here = flipRoom(room, name);
  for (const one of [n, n + 1]) {
    await here.asks(one);
    await here.delivers();
  }
  await room.environment(name, how(n));
  const ended = (): Promise<Ended> => room.newest<Ended>(here.place, "ReleaseEnded");
  return {
    ...here,
    ended,
    /** The event comes so many milliseconds after noon, when everything else was. */
    comes: async (afterMs: number, change: Partial<Ports> = {}, event?: Ended): Promise<void> => {
      const clock = { ...room.clock, now: () => room.clock.now() + afterMs };
      const { events, back } = room;
      const site = () => ({ ...siteConfigOf(name, "production"), distribution: "E1", edgeTable: "table" });
      const ports: Ports = { ...room, events, back, clock, site, edgeTable: here.edge.table, addresses: here.held, ...change };
      await endRelease(ports)(event ?? (await ended()));
    },
    rollsBack: async (): Promise<void> => {
      await room.environment(name, { type: "RequestRollback", to: deploymentId(n), actor: "ada", at: at() });
    },
    until: (): number => JSON.parse(here.edge.rows.get(rowOf(n)) ?? "{}").until * 1_000 - Date.parse(at()),
  };
};

describe("a release whose window is over", () => {
  it("keeps its address for ten minutes, in which an edge may have its row as it was, and loses row and address then", async () => {
    const here = await leftAt("end-window", 1, endsBy);
    // the event itself is of noon
    await here.comes(9 * MINUTE);
    expect([...here.addresses.keys()]).toEqual([`${server} r-1`, `${server} r-2`]);
    await here.comes(DAY + 9 * MINUTE);
    expect(here.edge.rows.has(rowOf(1))).toBe(true);
    expect(here.addresses.has(`${server} r-1`)).toBe(true);
    await here.comes(DAY + 10 * MINUTE);
    expect([...here.edge.rows.keys()].sort()).toEqual([LIVE, rowOf(2)].sort());
    expect([...here.addresses.keys()]).toEqual([`${server} r-2`]);
    expect((await here.newest("AddressRemoved")).body).toEqual({
      release: deploymentId(1),
      deploymentId: deploymentId(1),
      address: 1,
      functions: [server],
    });
  });

  it("asks the table nothing before that", async () => {
    const here = await leftAt("end-early", 5, endsBy);
    const away = () => Promise.reject(new Error("the table was asked"));
    await here.comes(9 * MINUTE, { edgeTable: { version: away, get: away, list: away, update: away } });
    expect(await here.types()).not.toContain("AddressRemoved");
  });
});

describe("a release that was cut off", () => {
  it("is reached by nobody at once, and its row and address go when no edge can have the row as it was", async () => {
    const here = await leftAt("cut", 11, cut);
    expect(here.until()).toBe(DAY);
    await here.comes(2 * MINUTE);
    expect(here.until()).toBe(2 * MINUTE);
    await here.comes(11 * MINUTE);
    expect(here.until()).toBe(2 * MINUTE);
    expect(here.addresses.has(`${server} r-11`)).toBe(true);
    await here.comes(12 * MINUTE);
    expect(here.edge.rows.has(rowOf(11))).toBe(false);
    expect(here.addresses.has(`${server} r-11`)).toBe(false);
  });

  it("keeps its address for the ten minutes also where its message came late, and then twice", async () => {
    const here = await leftAt("cut-late", 15, cut);
    for (const minutes of [60, 60, 61]) await here.comes(minutes * MINUTE);
    expect(here.until()).toBe(60 * MINUTE);
    expect(here.addresses.has(`${server} r-15`)).toBe(true);
    await here.comes(70 * MINUTE);
    expect(here.addresses.has(`${server} r-15`)).toBe(false);
  });

  it("is given its end once more by whoever lost a race for the table", async () => {
    const here = await leftAt("cut-race", 21, cut);
    let raced = false;
    here.edge.onLook(() => {
      if (!raced) here.edge.hand("live:E2", "of another environment");
      raced = true;
    });
    await here.comes(MINUTE);
    expect(here.until()).toBe(MINUTE);
  });
});

describe("a release that is brought live again meanwhile", () => {
  it.each([
    ["before its event comes", "back-before", 31],
    ["after its row was read", "back-within", 35],
  ])("keeps its row and its address: %s", async (when, name, n) => {
    const here = await leftAt(name, n, cut);
    await here.rollsBack();
    if (when.startsWith("before")) await here.delivers();
    let came = false;
    const { table } = here.edge;
    const get: typeof table.get = async (store, key) => {
      const found = await table.get(store, key);
      if (!came && key === rowOf(n) && when.startsWith("after")) {
        came = true;
        await here.delivers();
      }
      return found;
    };
    await here.comes(2 * DAY, { edgeTable: { ...table, get } });
    expect(JSON.parse(here.edge.rows.get(LIVE) ?? "{}")).toMatchObject({ release: deploymentId(n), address: n });
    expect(here.edge.rows.get(rowOf(n))).toBe(here.edge.rows.get(LIVE));
    expect(here.addresses.has(`${server} r-${n}`)).toBe(true);
  });

  it("and leaves live again while its event is handled keeps its row, which has a new end", async () => {
    const here = await leftAt("back-and-gone", 301, endsBy);
    let reads = 0;
    const events: Ports["events"] = async (...asked) => {
      reads += 1;
      const found = await room.events(...asked);
      await here.rollsBack();
      await here.delivers();
      await room.environment("back-and-gone", { type: "RequestRollback", to: deploymentId(302), actor: "ada", at: at() });
      await here.delivers();
      return found;
    };
    await here.comes(3 * DAY, { events });
    expect(reads).toBe(1);
    expect(here.edge.rows.has(rowOf(301))).toBe(true);
    expect(here.addresses.has(`${server} r-301`)).toBe(true);
  });

  it("keeps its address while the flip is under way, and for ten minutes after one that was given up", async () => {
    const here = await leftAt("back-failed", 41, endsBy);
    await here.rollsBack();
    await here.comes(2 * DAY);
    expect(await here.types()).not.toContain("AddressRemoved");
    await room.environment("back-failed", { type: "RecordFlipFailed", sequence: 43, reason: "it could not be", moved: false });
    // given up at noon
    await here.comes(9 * MINUTE);
    expect(await here.types()).not.toContain("AddressRemoved");
    await here.comes(2 * DAY);
    expect(await here.types()).toContain("AddressRemoved");
  });

  it("keeps it where a flip sent visitors there, was given up, and nothing has put that right", async () => {
    const here = await leftAt("back-stuck", 51, endsBy);
    const { until: _, ...route } = JSON.parse(here.edge.rows.get(rowOf(51)) ?? "{}");
    here.edge.hand(LIVE, JSON.stringify({ ...route, sequence: 53 }));
    await here.comes(2 * DAY);
    expect(here.addresses.has(`${server} r-51`)).toBe(true);
    here.edge.hand(LIVE, here.edge.rows.get(rowOf(52)));
    await here.comes(2 * DAY);
    expect(here.addresses.has(`${server} r-51`)).toBe(false);
  });

  it.each([
    ["sends there for good", "back-unsaid", 111, undefined],
    ["sends there for good, with a sequence of before", "back-before-it", 131, undefined, 0],
    ["is left by another that nobody has heard of either", "back-left", 121, Math.floor(Date.parse(at()) / 1_000) + 60],
  ])("keeps row and address where the row is of a flip that died before it said so: it %s", async (_, name, n, until, later = 2) => {
    const here = await leftAt(name, n, cut);
    const { until: __, ...route } = JSON.parse(here.edge.rows.get(rowOf(n)) ?? "{}");
    const unsaid = JSON.stringify({ ...route, sequence: n + later, ...(until !== undefined && { until }) });
    here.edge.hand(rowOf(n), unsaid);
    for (const minutes of [1, 2 * 24 * 60]) await here.comes(minutes * MINUTE);
    expect(here.edge.rows.get(rowOf(n))).toBe(unsaid);
    expect(here.addresses.has(`${server} r-${n}`)).toBe(true);
  });

  it("has another address where its own was taken away, and a late message about that one leaves it alone", async () => {
    const here = await leftAt("back-after", 61, endsBy);
    const first = await here.ended();
    await here.comes(2 * DAY);
    await here.rollsBack();
    await here.delivers();
    expect(JSON.parse(here.edge.rows.get(LIVE) ?? "{}")).toMatchObject({ sequence: 63, release: deploymentId(61), address: 63 });
    expect([...here.addresses.keys()]).toEqual([`${server} r-62`, `${server} r-63`]);
    await here.comes(2 * DAY, {}, first);
    expect([...here.addresses.keys()]).toEqual([`${server} r-62`, `${server} r-63`]);
  });

  it("and ended once more waits for its own ten minutes", async () => {
    const here = await leftAt("end-twice", 71, cut);
    const first = await here.ended();
    await here.rollsBack();
    await here.delivers();
    await room.environment("end-twice", { type: "RequestRollback", to: deploymentId(72), actor: "ada", at: at() });
    await here.delivers();
    await room.environment("end-twice", endsBy(71));
    await here.comes(2 * DAY, {}, first);
    expect(here.addresses.has(`${server} r-71`)).toBe(true);
    await here.comes(2 * DAY);
    expect(here.addresses.has(`${server} r-71`)).toBe(false);
  });
});

describe("a delivery that dies", () => {
  it.each([
    ["after the row went", "die-row", 81, "execute"],
    ["after its end was written down", "die-log", 91, "remove"],
  ])("%s leaves the rest to the next", async (_when, name, n, step) => {
    const here = await leftAt(name, n, endsBy);
    const dies = () => Promise.reject(new Error("it died"));
    const { aggregates } = room;
    const change: Partial<Ports> =
      step === "remove" ? { addresses: { remove: dies } } : { aggregates: { environment: { ...aggregates.environment, execute: dies } } };
    await expect(here.comes(2 * DAY, change)).rejects.toThrow("it died");
    expect(here.addresses.has(`${server} r-${n}`)).toBe(true);
    for (const _ of ["again", "and again"]) await here.comes(2 * DAY);
    expect(here.addresses.has(`${server} r-${n}`)).toBe(false);
    expect((await here.types()).filter((type) => type === "AddressRemoved")).toHaveLength(1);
  });

  it("leaves what a hand wrote in the row's place alone", async () => {
    const here = await leftAt("by-hand", 95, endsBy);
    here.edge.hand(rowOf(95), "by hand");
    await here.comes(2 * DAY);
    expect(here.edge.rows.get(rowOf(95))).toBe("by hand");
    expect(here.addresses.has(`${server} r-95`)).toBe(true);
  });

  it("removes addresses of an environment that is not declared any more, and of one whose edge looks up no table", async () => {
    const gone = await leftAt("undeclared", 101, endsBy);
    await gone.comes(2 * DAY, { site: () => undefined });
    expect(gone.addresses.has(`${server} r-101`)).toBe(false);
    const without = await leftAt("no-table", 105, cut);
    const site = () => siteConfigOf("no-table", "production");
    await without.comes(9 * MINUTE, { site });
    expect(without.addresses.has(`${server} r-105`)).toBe(true);
    await without.comes(10 * MINUTE, { site });
    expect(without.addresses.has(`${server} r-105`)).toBe(false);
  });
});
