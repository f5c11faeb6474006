import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { liveKey, releaseKey } from "../../blueprint/edge-table.ts";
import { describe as describeFence } from "../../domain/environment/fence.ts";
import { flipRoom } from "../support/flip-room.ts";
import { at, deploymentId, functions, release } from "../support/samples.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const LIVE = liveKey("E1");
const [, server] = functions(1).map(({ name }) => name) as [string, string];
const rowOf = (n: number): string => releaseKey("E1", deploymentId(n));

const ready = (n: number, name: string) => {
  const { queue, began, built, published } = steps(n, name);
  return [queue(n), began, built, ...published];
};

/** Flips of deployments n, n + 1 … of a site of its own, each brought live. */
const site = async (name: string, ...live: readonly number[]) => {
  const here = flipRoom(room, name);
  for (const n of live) {
    await here.asks(n);
    await here.delivers();
  }
  const row = (key: string) => JSON.parse(here.edge.rows.get(key) ?? "null") as Record<string, unknown> | null;
  /** What happens right after a flip has read the row for the first time: from now on it knows only what was. */
  const onFirstLook = (happens: () => Promise<void>): void => {
    let looks = 0;
    here.edge.onLook(async () => {
      if (++looks === 1) await happens();
    });
  };
  /** A hand, or a newer flip, changes the aliases of all functions. */
  const moveAll = (change: Parameters<typeof here.hand>[1]): void => {
    for (const fn of here.aliases.keys()) here.hand(fn, change);
  };
  return { ...here, row, onFirstLook, moveAll };
};

describe("the edge's row of what is live", () => {
  it("is written with the release's own, after every alias answered and before anybody says that it is live", async () => {
    const here = await site("edge-row");
    await here.asks(1);
    const seen: (string | undefined)[] = [];
    here.answers((itself) => async (fn, qualifier, payload) => {
      if (qualifier === "live") seen.push(here.edge.rows.get(LIVE));
      return itself(fn, qualifier, payload);
    });
    await here.delivers();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((row) => row === undefined)).toBe(true);
    expect(here.row(LIVE)).toMatchObject({ v: 1, sequence: 1, release: deploymentId(1), host: ".lambda-url.eu-west-1.on.aws" });
    expect(here.edge.rows.get(rowOf(1))).toBe(here.edge.rows.get(LIVE));
    expect(here.edge.writes).toEqual([[rowOf(1), LIVE]]);
    const { edge, live } = await here.state();
    expect(JSON.stringify(edge?.route)).toBe(here.edge.rows.get(LIVE));
    expect(live?.sequence).toBe(edge?.sequence);
  });

  it("names an address that the release keeps, whichever flip brings it live", async () => {
    const here = await site("edge-address", 11);
    // a release of an engine that gave none has the number of the flip that gave it one
    expect(here.row(LIVE)).toMatchObject({ address: 11 });
    expect([...here.addresses]).toEqual([[`${server} r-11`, "11"]]);
  });

  it("lets what names the release before reach it until its window is over, and takes the end back when it is live again", async () => {
    const here = await site("edge-window", 21, 22);
    const until = here.row(rowOf(21))?.until as number;
    expect(until * 1_000 - room.clock.now()).toBeLessThanOrEqual(24 * 60 * 60 * 1_000 + 1_000);
    expect(until * 1_000 - room.clock.now()).toBeGreaterThan(23 * 60 * 60 * 1_000);
    expect(here.row(rowOf(22))).not.toHaveProperty("until");
    expect((await here.state()).routes.get(deploymentId(21))?.until).not.toBeNull();

    await room.environment("edge-window", { type: "RequestRollback", to: deploymentId(21), actor: "ada", at: "2026-11-24T00:00:00.000Z" });
    await here.delivers();
    expect(here.row(LIVE)).toMatchObject({ sequence: 23, release: deploymentId(21), address: 21 });
    expect(here.row(rowOf(21))).not.toHaveProperty("until");
    expect(here.row(rowOf(22))).toHaveProperty("until");
  });

  it("is not written by a flip that a newer one overtook meanwhile", async () => {
    const here = await site("edge-late", 31);
    await here.asks(32);
    const requested = await here.requested();
    let asked = false;
    here.answers((itself) => async (fn, qualifier, payload) => {
      const answer = await itself(fn, qualifier, payload);
      if (qualifier === "live" && !asked) {
        asked = true;
        await here.asks(33);
        here.edge.hand(LIVE, JSON.stringify({ ...here.row(LIVE), sequence: 33, release: deploymentId(33) }));
      }
      return answer;
    });
    await here.delivers({ requested });
    expect((await here.newest("FlipSuperseded")).body).toMatchObject({ sequence: 32, by: 33 });
    expect(here.row(LIVE)).toMatchObject({ sequence: 33 });
  });

  it("is not written by a flip that stood still until a newer one was live, although a hand took the row away since", async () => {
    const here = await site("edge-asleep", 331);
    await here.asks(332);
    const requested = await here.requested();
    let slept = false;
    here.answers((itself) => async (fn, qualifier, payload) => {
      const answer = await itself(fn, qualifier, payload);
      if (qualifier === "live" && !slept) {
        slept = true;
        await here.asks(333);
        await here.delivers();
        here.edge.hand(LIVE, undefined);
      }
      return answer;
    });
    await here.delivers({ requested });
    expect(here.edge.rows.has(LIVE)).toBe(false);
    expect((await here.newest("FlipSuperseded")).body).toMatchObject({ sequence: 332, by: 333 });
  });

  it("is not written by a flip that a newer one overtook, although a hand took the row away and wrote over the aliases since", async () => {
    const here = await site("edge-log-alone", 1401);
    await here.asks(1402);
    const requested = await here.requested();
    here.onFirstLook(async () => {
      await here.asks(1403);
      await here.delivers();
      here.edge.hand(LIVE, undefined);
      here.moveAll({ description: "by hand" });
    });
    await here.delivers({ requested });
    expect(here.edge.rows.has(LIVE)).toBe(false);
    expect((await here.newest("FlipSuperseded")).body).toMatchObject({ sequence: 1402, by: 1403 });
  });

  it.each([
    ["took its row away", 1351, undefined],
    ["wrote an older one over its row", 1361, "as before"],
  ])("is not written by a flip that stood still until a newer one had moved the aliases, although a hand %s", async (_, n, left) => {
    const here = await site(`edge-behind-${n}`, n);
    const before = left && here.edge.rows.get(LIVE);
    await here.asks(n + 1);
    const requested = await here.requested();
    here.onFirstLook(async () => {
      // so far a newer one has come: its row was there, and the log does not have it yet
      await here.asks(n + 2);
      here.moveAll({ version: String(n + 2), description: describeFence({ sequence: n + 2, deploymentId: deploymentId(n + 2) }) });
      here.edge.hand(LIVE, before);
    });
    await here.delivers({ requested });
    expect(here.edge.rows.get(LIVE)).toBe(before);
    expect((await here.newest("FlipSuperseded")).body).toMatchObject({ sequence: n + 1, by: n + 2 });
  });

  it.each([
    ["of a sequence that nobody was given", 1371, 999_999],
    ["of a newer flip that has moved nothing", 1381, 1383],
  ])("is written where what an alias says is a hand's: %s", async (_, n, sequence) => {
    const here = await site(`edge-ahead-${n}`, n);
    await here.asks(n + 1);
    const requested = await here.requested();
    here.onFirstLook(async () => {
      await here.asks(n + 2);
      here.moveAll({ description: describeFence({ sequence, deploymentId: "none" }) });
    });
    await here.delivers({ requested });
    expect(here.row(LIVE)).toMatchObject({ sequence: n + 1 });
  });

  it("is written by the first of an environment where a newer one moved the aliases and failed: nothing would be live else", async () => {
    const here = await site("edge-first");
    await here.asks(1391);
    const requested = await here.requested();
    here.onFirstLook(async () => {
      await here.asks(1392);
      here.moveAll({ version: "1392", description: describeFence({ sequence: 1392, deploymentId: deploymentId(1392) }) });
      await room.environment("edge-first", { type: "RecordFlipFailed", sequence: 1392, reason: "it died", moved: true });
    });
    await here.delivers({ requested });
    expect(here.row(LIVE)).toMatchObject({ sequence: 1391 });
    expect((await here.state()).live?.sequence).toBe(1391);
  });

  it("is no drift where another delivery of the flip, or a newer flip, went live after it was read", async () => {
    const here = await site("edge-twice", 341);
    for (const [n, newer] of [
      [342, 342],
      [343, 344],
    ] as const) {
      await here.asks(n);
      const requested = await here.requested();
      here.onFirstLook(async () => {
        if (newer > n) await here.asks(newer);
        await here.delivers();
      });
      await here.delivers({ requested });
      expect(here.row(LIVE)).toMatchObject({ sequence: newer });
    }
    expect(await here.types()).not.toContain("EdgeDriftDetected");
  });

  it("is written again by whoever lost a race for the table", async () => {
    const here = await site("edge-race");
    await here.asks(41);
    let raced = false;
    here.edge.onLook(() => {
      if (!raced) here.edge.hand("live:E2", "of another environment");
      raced = true;
    });
    await here.delivers();
    expect(here.row(LIVE)).toMatchObject({ sequence: 41 });
    expect(here.edge.writes).toHaveLength(1);
  });

  it.each([
    ["is no JSON", "sent by hand"],
    ["has another shape", '{"v":1}'],
    ["has a sequence that nobody was given", undefined],
  ])("is overwritten where it %s, and the log says so first", async (what, text) => {
    const n = 51 + what.length;
    const here = await site(`edge-hand-${what.length}`, n);
    here.edge.hand(LIVE, text ?? JSON.stringify({ ...here.row(LIVE), sequence: 999_999 }));
    await here.asks(n + 100);
    await here.delivers();
    expect(here.row(LIVE)).toMatchObject({ sequence: n + 100 });
    expect((await here.types()).slice(-5)).toEqual([
      "EdgeDriftDetected",
      "AliasFlipped",
      "AliasFlipped",
      "EdgeSwitched",
      "ReleaseWentLive",
    ]);
    expect((await here.state()).edgeDrift).toBeUndefined();
  });

  it("leads nobody to a release whose address was taken away, where a hand had written that one's row", async () => {
    const here = await site("edge-ended", 361, 362);
    const old = here.row(rowOf(361));
    const asked = { actor: "ada", at: at() };
    await room.environment(
      "edge-ended",
      { type: "CutRelease", deploymentId: deploymentId(361), ...asked },
      { type: "RemoveAddress", release: deploymentId(361), address: Number(old?.address) },
    );
    expect((await here.state()).removedAddresses).toContain(old?.address);
    here.edge.hand(rowOf(361), undefined);
    here.edge.hand(LIVE, JSON.stringify({ ...old, until: undefined }));
    await here.asks(363);
    await here.delivers();
    expect(here.row(LIVE)).toMatchObject({ sequence: 363 });
    expect(here.row(rowOf(361))).toBeNull();
  });

  it("is taken over from a flip that died after it wrote, and the release that this one left ends", async () => {
    const here = await site("edge-died", 301);
    await here.asks(302);
    const lost = JSON.stringify({ ...here.row(LIVE), sequence: 302, address: 302, release: deploymentId(302) });
    await here.asks(303);
    here.edge.hand(LIVE, lost);
    here.edge.hand(rowOf(302), lost);
    await here.delivers();
    expect(here.row(LIVE)).toMatchObject({ sequence: 303 });
    expect(here.row(rowOf(302))).toHaveProperty("until");
    expect(here.row(rowOf(301))).toHaveProperty("until");
    expect(await here.types()).not.toContain("EdgeDriftDetected");
  });

  it("is taken over from a flip back that died after it wrote, and the release that this one left ends once more", async () => {
    const here = await site("edge-died-back", 311, 312);
    await room.environment(
      "edge-died-back",
      { type: "CutRelease", deploymentId: deploymentId(311), actor: "ada", at: "2026-11-23T12:00:00.000Z" },
      { type: "RequestRollback", to: deploymentId(311), actor: "ada", at: "2026-11-23T12:00:00.000Z" },
    );
    const { until: _, ...route } = here.row(rowOf(311)) ?? {};
    const lost = JSON.stringify({ ...route, sequence: 313 });
    await room.environment("edge-died-back", { type: "RecordFlipFailed", sequence: 313, reason: "it died", moved: true });
    here.edge.hand(LIVE, lost);
    here.edge.hand(rowOf(311), lost);
    await here.delivers();
    expect(here.row(LIVE)).toMatchObject({ sequence: 314, release: deploymentId(312) });
    expect(here.row(rowOf(311))).toMatchObject({ sequence: 313, until: expect.any(Number) });
    expect((await here.state()).routes.get(deploymentId(311))).toMatchObject({ until: expect.any(String), ended: null });
  });

  it("names the flip's own address where the release's was taken away, and that one from then on", async () => {
    const here = await site("edge-removed");
    const { admit } = steps(321, "edge-removed");
    const published = { ...release(321), address: 321 };
    const by = { actor: "ada", at: "2026-11-23T12:00:00.000Z" };
    await room.deployment(321, ...ready(321, "edge-removed"));
    await room.environment("edge-removed", admit, {
      type: "RequestFlip",
      deploymentId: deploymentId(321),
      sequence: 321,
      release: published,
      ...by,
    });
    await here.delivers();
    await here.asks(322);
    await here.delivers();
    const at = "2030-01-01T00:00:00.000Z";
    await room.environment(
      "edge-removed",
      { type: "EndRelease", release: deploymentId(321), reason: "window", at },
      { type: "RemoveAddress", release: deploymentId(321), address: 321 },
      { type: "RequestRollback", to: deploymentId(321), actor: "ada", at },
    );
    await here.delivers();
    expect(here.row(LIVE)).toMatchObject({ sequence: 323, release: deploymentId(321), address: 323 });
    expect(here.addresses.get(`${server} r-323`)).toBe("321");
    await room.environment("edge-removed", { type: "RestoreEdge", sequence: 323, lost: "row" });
    await here.delivers();
    expect(here.row(LIVE)).toMatchObject({ sequence: 324, address: 323 });
  });
});
