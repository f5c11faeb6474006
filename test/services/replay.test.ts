import { DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import { type Commit, commitHash, commitId } from "../../domain/kernel/chain.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { ChainBroken } from "../../engine/log/chain-broken.ts";
import { itemCodec, sha256 } from "../../engine/log/codec.ts";
import { nameDay } from "../../engine/log/days.ts";
import { newestStreams, SAMPLE } from "../../engine/log/sample-table.ts";
import { attributesOf, rowEntity } from "../../engine/views/model-rows.ts";
import { type ViewName, viewNames, viewsOf } from "../../engine/views/read-models.ts";
import { viewText } from "../../engine/views/view-items.ts";
import { rowKey } from "../../operator/replay/folding.ts";
import { RebuildRunning } from "../../operator/replay/lease.ts";
import { RebuildInterrupted, replay, verifyViews } from "../../operator/replay/replay.ts";
import { project } from "../../services/project/project.ts";
import { longHistory, usualPlan } from "../support/long-history.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";
import { rowsOf } from "../support/rows-of.ts";

const ALL = { views: viewNames, from: "segments" } as const;
const commits = [...longHistory(usualPlan(11, 450))];
const EARLY = 250;
const SEALED = 200;
const early = commits.slice(0, EARLY);
const late = commits.slice(EARLY);
const BATCHES = "DynamoDB.BatchWriteItem shiplog-views";
const SCAN = "DynamoDB.Scan shiplog-views";

let room: ReplayRoom;
beforeEach(async () => {
  room = await startReplayRoom();
  await room.write(early);
  await room.seal(Number(early[SEALED]?.position) + 1);
});
afterEach(() => room.close());

/** What happens while nobody waits: commits are written, and the projection hears of each. */
const happen = async (some: readonly Commit[]): Promise<void> => {
  for (const commit of some) {
    await room.write([commit]);
    await room.project(commit);
  }
};
const liveRows = async (): Promise<Map<string, unknown>> => {
  const { live } = await room.views.generations();
  const rows = (await Array.fromAsync(room.items.scan(0, 1))).flat().filter(({ view, generation }) => generation === live[view]);
  return new Map(rows.map(({ view, stream, item }) => [rowKey(view, stream), JSON.parse(viewText(item))]));
};
/** The key of the only row that a stream feeds. */
const onlyKey = (stream: string): string => rowKey(viewsOf(stream)[0] as ViewName, stream);
/** Does something once, when the first such request comes by. */
const once = (name: string, act: () => Promise<unknown>): void => {
  let waiting = true;
  room.proxy.hold(async (call) => {
    if (call.name !== name || !waiting) return;
    waiting = false;
    await act();
  });
};

describe("a rebuild while events go on arriving", () => {
  it("has those that came before it wrote, while it wrote, and while it compared", async () => {
    const parts = [late.slice(0, 60), late.slice(60, 120), late.slice(120)];
    let at = 0;
    let before = Promise.resolve();
    room.proxy.hold(({ name }) => {
      // one part after another, as a store takes them
      if ((name === BATCHES && at < 2) || (name === SCAN && at === 2)) {
        const part = parts[at++] ?? [];
        before = before.then(() => happen(part));
      }
      return before;
    });
    await replay(room.ports(), ALL);
    expect(at).toBe(3);
    expect(await liveRows()).toEqual(rowsOf(commits));
  });

  it("does not leave a row older than the projection had it, though its own write came later", async () => {
    const own = late.filter(({ stream }) => early.some((commit) => commit.stream === stream));
    expect(own.length).toBeGreaterThan(20);
    // every batch waits until the projection has brought both generations further than what the batch holds
    let told: Promise<void> | undefined;
    room.proxy.hold(async ({ name }) => {
      if (name !== BATCHES) return;
      told ??= happen(late);
      await told;
    });
    await replay(room.ports(), { ...ALL, from: "table" });
    expect(await liveRows()).toEqual(rowsOf(commits));
  });

  it("is heard of by a projection that asked which rows count before it began", async () => {
    await replay(room.ports(), ALL);
    const [next] = late as [Commit];
    let asked = 0;
    const slow = project({
      read: room.store.read,
      views: {
        rows: room.views.rows,
        noteWaypoint: room.views.noteWaypoint,
        generations: async () => {
          const now = await room.views.generations();
          asked += 1;
          if (asked > 1) return now;
          await replay(room.ports(), ALL);
          // no index showed this to the rebuild
          await room.write([next]);
          return now;
        },
      },
    });
    await slow(next);
    expect((await room.views.generations()).live.deployments).toBe(2);
    expect((await liveRows()).get(onlyKey(next.stream))).toEqual(rowsOf([...early, next]).get(onlyKey(next.stream)));
  });

  it("does not let two of them work at once", async () => {
    let second: unknown;
    once(BATCHES, async () => {
      // whenever the second looks at the clock again, the first has said once more that it is there
      let now = systemClock.now();
      const sleep = async (): Promise<void> => {
        now += 3_000;
        const { value, revision } = (await room.views.rebuild()) ?? { value: "{}", revision: 0 };
        await room.views.setRebuild(revision, JSON.stringify({ ...(JSON.parse(value) as object), until: now + 10_000 }));
      };
      const ports = room.ports({ clock: { ...systemClock, now: () => now, sleep } });
      second = await replay(ports, ALL).catch((error: unknown) => error);
    });
    // the first finds that its place was written to by somebody else, and stops as well
    await expect(replay(room.ports(), ALL)).rejects.toThrow(RebuildRunning);
    expect(second).toBeInstanceOf(RebuildRunning);
  });
});

describe("a rebuild that was cut off", () => {
  /** a second passes between any two looks at the clock: progress is noted at every pause */
  const hasty = () => {
    let now = systemClock.now();
    return {
      ...systemClock,
      sleep: async () => undefined,
      now: () => {
        now += 1_000;
        return now;
      },
    };
  };
  const written = (): number =>
    room.proxy.calls.filter(({ name }) => name === BATCHES).reduce((sum, { body }) => sum + (body.match(/"PutRequest"/g)?.length ?? 0), 0);

  it("does not write again what was written, and comes to the same rows", async () => {
    const clock = hasty();
    const cut = new AbortController();
    room.proxy.hold(async ({ name }) => {
      if (name === SCAN) cut.abort(new Error("cut off"));
    });
    await expect(replay(room.ports({ clock, signal: cut.signal }), ALL)).rejects.toThrow("cut off");
    const first = written();
    expect(first).toBeGreaterThan(0);
    room.proxy.hold(() => undefined);
    room.proxy.calls.length = 0;
    expect(await replay(room.ports({ clock }), ALL)).toMatchObject({ generation: 1, resumed: true });
    expect(written()).toBeLessThan(first / 2);
    expect(await liveRows()).toEqual(rowsOf(early));
  });

  it("goes on removing old rows where the switch was done already", async () => {
    await replay(room.ports(), ALL);
    const cut = new AbortController();
    const sleep = async (): Promise<void> => cut.abort(new Error("cut off"));
    await expect(replay(room.ports({ clock: { ...systemClock, sleep }, signal: cut.signal }), ALL)).rejects.toThrow("cut off");
    expect((await room.views.generations()).live.deployments).toBe(2);
    const rebuilt = await replay(room.ports(), ALL);
    expect(rebuilt).toMatchObject({ generation: 2, resumed: true, events: 0 });
    const rows = (await Array.fromAsync(room.items.scan(0, 1))).flat();
    expect(new Set(rows.map(({ generation }) => generation))).toEqual(new Set([2]));
  });

  it("is not mistaken for one of other views, unless it is dropped", async () => {
    const cut = new AbortController();
    once(SCAN, async () => cut.abort(new Error("cut off")));
    await expect(replay(room.ports({ signal: cut.signal }), ALL)).rejects.toThrow("cut off");
    const one = { views: ["deployments"], from: "segments" } as const;
    await expect(replay(room.ports(), one)).rejects.toThrow(RebuildInterrupted);
    expect(await replay(room.ports(), one, { restart: true })).toMatchObject({ generation: 2, resumed: false });
    expect((await room.views.generations()).live).toEqual({ deployments: 2, environments: 0, webhooks: 0, sessions: 0 });
  });
});

describe("a rebuild from an event table that was changed behind Shiplog's back", () => {
  const itemOf = itemCodec(EVENTS_TABLE);
  const sealed = early.slice(0, SEALED);
  // one of those that were written to last: they are always in the sample
  const last = new Set([...new Set(early.toReversed().map(({ stream }) => stream))].slice(0, SAMPLE / 2));
  const environment =
    sealed.find(({ stream, version }) => version > 2 && last.has(stream) && stream.startsWith("environment/"))?.stream ?? "";
  const ofIt = (commits: readonly Commit[]): Commit[] => commits.filter(({ stream }) => stream === environment);
  const drop = (commit: Commit) => {
    const { pk, sk } = itemOf(commit) as { pk: { S: string }; sk: { S: string } };
    return room.clients.dynamodb.send(new DeleteItemCommand({ TableName: EVENTS_TABLE, Key: { pk, sk } }));
  };

  it("is refused where it reads the changed row, and where a row before it is gone: readers keep what they had", async () => {
    const row = ofIt(sealed)[2] as Commit;
    const last = ofIt(early).at(-1) as Commit;
    expect(ofIt(sealed)).not.toContain(last);
    await room.write([{ ...row, actor: "mallory" }]);
    await expect(replay(room.ports(), { ...ALL, from: "table" })).rejects.toThrow(
      `${environment} was changed behind Shiplog's back at version 3`,
    );
    await drop(row);
    await expect(replay(room.ports(), { ...ALL, from: "table" }, { restart: true })).rejects.toThrow(ChainBroken);
    await room.write([row, { ...last, actor: "mallory" }]);
    await expect(replay(room.ports(), ALL, { restart: true })).rejects.toThrow(
      `${environment} was changed behind Shiplog's back at version ${last.version}`,
    );
    expect((await room.views.generations()).live.deployments).toBe(0);
    await room.write([last]);
    expect((await replay(room.ports(), ALL, { restart: true })).sampled.faults).toEqual([]);
  });

  it("comes from the segments to the rows that were sealed, and says that the table is not so", async () => {
    const row = ofIt(sealed)[2] as Commit;
    await nameDay(room.clients.dynamodb, EVENTS_TABLE, (early.at(-1) as Commit).position);
    expect(await newestStreams(room.clients.dynamodb, EVENTS_TABLE)(SAMPLE / 2)).toContain(environment);
    await room.write([{ ...row, body: "[]" }]);
    const { sampled } = await replay(room.ports(), ALL);
    expect(sampled.faults).toMatchObject([{ stream: environment, version: 3 }]);
    expect(await liveRows()).toEqual(rowsOf(early));
  });
});

describe("a comparison", () => {
  it("waits for rows that are missing once for all of them, and then names each", async () => {
    let waits = 0;
    const sleep = async (): Promise<void> => void waits++;
    const { rows, differences } = await verifyViews({ ...room.ports(), clock: { ...systemClock, sleep } }, ALL);
    expect(rows).toBe(0);
    expect(differences.length).toBe(new Set(early.map(({ stream }) => stream)).size);
    expect(new Set(differences.map(({ what }) => what))).toEqual(new Set(["there is no row"]));
    expect(waits).toBe(5);
  });
});

describe("a rebuild's rows", () => {
  it("have commits that came too late for their seal", async () => {
    // what was sealed does not know it: it is older than the seal's end, and in the table alone
    const after = late.find(({ version }) => version === 1) as Commit;
    const position = (Number(early[SEALED]?.position) - 1_000).toString().padStart(15, "0");
    const { hash: _, ...rest } = { ...after, position };
    await room.write([{ ...rest, hash: commitHash(sha256, rest) }]);
    await replay(room.ports(), ALL);
    expect((await liveRows()).get(onlyKey(after.stream))).toEqual(rowsOf([...early, after]).get(onlyKey(after.stream)));
  });

  it("pass over a kind of event that this release does not know, as the projection does", async () => {
    const { stream, version, hash: prev } = early.findLast((commit) => commit.stream.startsWith("environment/")) as Commit;
    const rest = {
      stream,
      version: version + 1,
      id: commitId(sha256, stream, "cmd_newer"),
      body: JSON.stringify([{ type: "MoonPhaseNoted", v: 1, body: {} }]),
      cause: "cmd_newer",
      correlation: "cmd_newer",
      actor: "ada",
      origin: "",
      at: new Date(Number(late.at(-1)?.position)).toISOString(),
      position: late.at(-1)?.position ?? "",
      prev,
    };
    const unknown = { ...rest, hash: commitHash(sha256, rest) };
    await happen([...early, unknown]);
    expect((await verifyViews(room.ports(), ALL)).differences).toEqual([]);
    await replay(room.ports(), ALL);
    expect(await liveRows()).toEqual(rowsOf(early));
  });

  it("are written in bulk exactly as one by one", () => {
    const documents = DynamoDBDocumentClient.from(room.clients.dynamodb);
    const rows = rowsOf(early);
    for (const [key, row] of rows) {
      const view = key.split(" ")[0] as ViewName;
      const { Item } = rowEntity(documents, "t", view)
        .put(attributesOf(view, 3, row as never))
        .params() as { Item: Record<string, unknown> };
      expect(room.items.itemOf(view, 3, row as never)).toEqual(marshall(Item));
    }
    expect(rows.size).toBeGreaterThan(20);
  });
});
