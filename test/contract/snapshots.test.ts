import { DeleteItemCommand, type DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SNAPSHOTS_TABLE } from "../../blueprint/topology.ts";
import { commitId } from "../../domain/kernel/chain.ts";
import type { Decider } from "../../domain/kernel/decider.ts";
import { sha256, sortKey } from "../../engine/log/codec.ts";
import { type EventStore, eventStore } from "../../engine/log/event-store.ts";
import { executor } from "../../engine/log/execute.ts";
import type { Folded } from "../../engine/log/folded-streams.ts";
import { lastUsed } from "../../engine/log/memory.ts";
import { type Snapshots, snapshotTable } from "../../engine/log/snapshots.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";
import { deploymentId } from "../support/samples.ts";

type Counted = { type: "Counted"; v: 1; body: { by: number } };
type Total = { total: number; last: Map<string, Set<number>> };

const EVERY = 4;
let table: Table;
let store: EventStore;
let snapshots: Snapshots;
beforeAll(async () => {
  table = await startTable();
  store = eventStore(table.client, TABLE);
  snapshots = snapshotTable(table.client, SNAPSHOTS_TABLE);
});
afterAll(() => table.close());
const logged: unknown[] = [];
afterEach(() => expect(logged.splice(0)).toEqual([]));

let streams = 5_000;
const newStream = (): string => `deployment/${deploymentId(++streams)}`;

/** How many commits a process folded, and whether it read a whole stream. */
const processOf = (change: { shape?: number; client?: DynamoDBClient; snapshots?: Snapshots; factor?: number } = {}) => {
  const { shape = 1, client = table.client, factor = 1 } = change;
  let folded = 0;
  const decider: Decider<{ add: number }, Total, Counted> = {
    shape,
    initial: () => ({ total: 0, last: new Map() }),
    evolve(state, { body: { by } }) {
      folded += 1;
      state.total += by * factor;
      state.last = new Map([["last", new Set([by])]]);
      return state;
    },
    decide: ({ add }) => [{ type: "Counted", v: 1, body: { by: add } }],
  };
  const ground = {
    store: client === table.client ? store : eventStore(client, TABLE),
    snapshots: change.snapshots ?? snapshots,
    every: EVERY,
    memoryOf: () => lastUsed<Folded<unknown>>(10),
    clock: { now: () => Date.UTC(2026, 10, 23), sleep: async () => {}, random: () => 0.5 },
    log: (line: unknown) => void logged.push(line),
  };
  const { execute, load } = executor(ground, "deployment", decider, (stored) => stored as Counted);
  return {
    add: (stream: string, add: number, cause = `cause/${add}`) => execute(stream, { add }, { cause, correlation: "c", actor: "ada" }),
    load,
    foldedBy: async (act: () => Promise<unknown>): Promise<number> => {
      folded = 0;
      await act();
      return folded;
    },
  };
};
/** A stream of 1 + 2 + … + n. */
const counted = async (n: number, by = processOf()): Promise<string> => {
  const stream = newStream();
  for (let add = 1; add <= n; add++) await by.add(stream, add);
  return stream;
};
const rowsOf = async (stream: string) => {
  const { Items = [] } = await table.client.send(new ScanCommand({ TableName: SNAPSHOTS_TABLE }));
  return Items.filter(({ pk }) => pk?.S === stream);
};
const drop = async (stream: string): Promise<void> => {
  for (const { pk, sk } of await rowsOf(stream))
    await table.client.send(new DeleteItemCommand({ TableName: SNAPSHOTS_TABLE, Key: { pk: pk as never, sk: sk as never } }));
};
const sum = (n: number): number => (n * (n + 1)) / 2;

describe("a process that saw a stream before", () => {
  it("folds what is new there, and nothing else", async () => {
    const one = processOf();
    const stream = await counted(30, one);
    expect(await one.foldedBy(() => one.load(stream))).toBe(0);
    await processOf().add(stream, 31);
    expect(await one.foldedBy(() => one.load(stream))).toBe(1);
    expect((await one.load(stream)).state.total).toBe(sum(31));
  });
  it("folds the stream whole where it has another past by now", async () => {
    const one = processOf();
    const stream = await counted(3, one);
    for (const version of ["0000000002", "0000000003"])
      await table.client.send(new DeleteItemCommand({ TableName: TABLE, Key: { pk: { S: stream }, sk: { S: version } } }));
    await processOf().add(stream, 20);
    await processOf().add(stream, 30);
    expect(await one.load(stream)).toMatchObject({ version: 3, state: { total: 51 } });
  });
  it("forgets a stream that others wrote hundreds of commits of, and begins from their snapshots", async () => {
    const reader = processOf();
    const writer = processOf();
    const stream = await counted(2, writer);
    await reader.load(stream);
    for (let add = 3; add <= 503; add++) await writer.add(stream, add);
    expect(await reader.foldedBy(() => reader.load(stream))).toBe(501);
    expect(await reader.foldedBy(() => reader.load(stream))).toBeLessThan(EVERY);
    expect((await reader.load(stream)).state.total).toBe(sum(503));
  }, 30_000);
  it("keeps what it gave away as it was", async () => {
    const one = processOf();
    const stream = await counted(5, one);
    const before = await one.load(stream);
    await one.add(stream, 6);
    await processOf().add(stream, 7);
    await one.load(stream);
    expect(before.state).toEqual({ total: sum(5), last: new Map([["last", new Set([5])]]) });
  });
});

describe("a process that remembers what was dropped since", () => {
  it("finds every cause handled", async () => {
    const one = processOf();
    const stream = await counted(40, one);
    await drop(stream);
    expect((await one.add(stream, 3)).events).toMatchObject([{ version: 3 }]);
    expect((await one.add(stream, 39)).events).toMatchObject([{ version: 39 }]);
  });
  it("finds a cause handled whose row another process writes just after it was looked for", async () => {
    const one = processOf({
      snapshots: {
        ...snapshots,
        handled: async (stream, id) => {
          const looked = await snapshots.handled(stream, id);
          if (looked.indexed.version === 0) for (let add = 41; add <= 44; add++) await processOf().add(stream, add);
          return looked;
        },
      },
    });
    const stream = await counted(40, one);
    await drop(stream);
    expect((await one.add(stream, 3)).events).toMatchObject([{ version: 3 }]);
    expect((await snapshots.indexed(stream)).version).toBeGreaterThan(3);
  });
  it("indexes what was dropped before it says that it is indexed", async () => {
    const one = processOf();
    const stream = await counted(42, one);
    const adding = Array.from({ length: 18 }, (_, n) => 43 + n);
    const before = await one.load(stream);
    await drop(stream);
    expect(before.version).toBe(42);
    for (const add of adding) await one.add(stream, add);
    for (const add of [1, 20, 40, 43, 60]) expect((await processOf().add(stream, add)).events).toMatchObject([{ version: add }]);
  });
  it("writes nothing behind rows that were dropped since it looked", async () => {
    let dropping = false;
    const one = processOf({
      snapshots: {
        ...snapshots,
        indexed: async (stream) => {
          if (dropping) await drop(stream);
          dropping = false;
          return snapshots.indexed(stream);
        },
      },
    });
    const stream = await counted(43, one);
    dropping = true;
    await one.add(stream, 44);
    expect(dropping).toBe(false);
    for (const add of [1, 20, 40, 41, 44]) expect((await processOf().add(stream, add)).events).toMatchObject([{ version: add }]);
  });
  it("finds every cause handled where the log was put back to a moment before, and grew again", async () => {
    const one = processOf();
    const stream = await counted(40, one);
    // the table of events as it was after 30 commits; that of snapshots as it is
    for (let version = 31; version <= 40; version++)
      await table.client.send(new DeleteItemCommand({ TableName: TABLE, Key: { pk: { S: stream }, sk: { S: sortKey(version) } } }));
    for (let add = 101; add <= 106; add++) await one.add(stream, add);
    for (const by of [one, processOf()])
      for (const add of [29, 30]) expect((await by.add(stream, add)).events).toMatchObject([{ version: add }]);
    for (const by of [one, processOf()]) expect((await by.add(stream, 101)).events).toMatchObject([{ version: 31 }]);
    for (let add = 107; add <= 130; add++) await processOf().add(stream, add);
    for (const by of [one, processOf()])
      for (const add of [101, 106, 110]) expect((await by.add(stream, add)).events).toMatchObject([{ version: add - 70 }]);
    expect((await processOf().load(stream)).version).toBe(60);
  });
  it("writes no note of the index over that of another", async () => {
    const stream = await counted(8);
    const noted = await snapshots.indexed(stream);
    expect(noted.version).toBe(8);
    const other = { version: 6, hash: "h" };
    expect(await snapshots.index(stream, [], { version: 4, hash: "h" }, other)).toBe(false);
    expect(await snapshots.index(stream, [], { version: 0, hash: "" }, other)).toBe(false);
    expect(await snapshots.indexed(stream)).toEqual(noted);
    expect(await snapshots.index(stream, [], noted, { version: 9, hash: "h" })).toBe(true);
  });
});

describe("a process that never saw a stream", () => {
  it("goes on from a snapshot, however long the stream is", async () => {
    const stream = await counted(50);
    const one = processOf();
    expect(await one.foldedBy(() => one.load(stream))).toBeLessThan(EVERY);
    expect(await one.load(stream)).toMatchObject({ version: 50, state: { total: sum(50), last: new Map([["last", new Set([50])]]) } });
  });
  it("finds the causes that a snapshot covers handled, and those after it", async () => {
    const stream = await counted(50);
    for (const add of [1, 17, 47, 48, 49, 50]) {
      const { events, version } = await processOf().add(stream, add);
      expect(events).toMatchObject([{ version: add, body: { by: add } }]);
      expect(version).toBe(50);
    }
  });
  it("folds the stream whole where all snapshots are dropped, and finds every cause handled", async () => {
    const stream = await counted(40);
    await drop(stream);
    const one = processOf();
    expect((await one.load(stream)).state.total).toBe(sum(40));
    expect((await one.add(stream, 3)).events).toMatchObject([{ version: 3 }]);
  });
  it("takes no snapshot of another shape, and writes its own beside it", async () => {
    const stream = await counted(40);
    const doubled = processOf({ shape: 2, factor: 2 });
    expect((await doubled.load(stream)).state.total).toBe(2 * sum(40));
    for (let add = 41; add <= 44; add++) await doubled.add(stream, add);
    const again = processOf({ shape: 2, factor: 2 });
    expect(await again.foldedBy(() => again.load(stream))).toBeLessThan(EVERY);
    expect((await again.load(stream)).state.total).toBe(2 * sum(44));
    expect((await processOf().load(stream)).state.total).toBe(sum(44));
  });
  it.each(["version", "hash", "state", "digest"])("takes no snapshot whose %s was changed", async (attribute) => {
    const stream = await counted(40);
    const found = (await rowsOf(stream)).find(({ sk }) => sk?.S === "state/1") ?? {};
    const other =
      attribute === "version" ? { N: "39" } : attribute === "state" ? { B: found.state?.B?.slice(0, 20) } : { S: "x".repeat(43) };
    await table.client.send(new PutItemCommand({ TableName: SNAPSHOTS_TABLE, Item: { ...found, [attribute]: other as never } }));
    const one = processOf();
    expect(await one.foldedBy(() => one.load(stream))).toBe(40);
    expect((await one.load(stream)).state.total).toBe(sum(40));
  });
  it("takes no snapshot of another stream, nor one that is newer than the log", async () => {
    const longer = await counted(44);
    const stream = await counted(40);
    const foreign = (await rowsOf(longer)).find(({ sk }) => sk?.S === "state/1") ?? {};
    await table.client.send(new PutItemCommand({ TableName: SNAPSHOTS_TABLE, Item: { ...foreign, pk: { S: stream } } }));
    expect((await processOf().load(stream)).state.total).toBe(sum(40));
    await snapshots.write(stream, 1, { version: 44, hash: "h".repeat(43), state: '{"total":1,"last":{"$map":[]}}' });
    expect((await processOf().load(stream)).state.total).toBe(sum(40));
    await snapshots.write(stream, 1, { version: 30, hash: "h".repeat(43), state: '{"total":1,"last":{"$map":[]}}' });
    expect((await processOf().load(stream)).state.total).toBe(sum(40));
  });
  it("takes no row of a cause whose commit is another's", async () => {
    const stream = await counted(40);
    const noted = await snapshots.indexed(stream);
    await snapshots.index(stream, [[commitId(sha256, stream, "new"), 7]], noted, noted);
    expect((await processOf().add(stream, 99, "new")).events).toMatchObject([{ version: 41, body: { by: 99 } }]);
  });
});

describe("who appends", () => {
  it("indexes each cause once, and before the snapshot that covers it", async () => {
    const order: string[] = [];
    const watched: Snapshots = {
      ...snapshots,
      index: async (stream, handled, was, upTo) => {
        order.push(`index ${handled.map(([, version]) => version)}`);
        return snapshots.index(stream, handled, was, upTo);
      },
      write: async (stream, shape, snapshot) => {
        order.push(`snapshot ${snapshot.version}`);
        await snapshots.write(stream, shape, snapshot);
      },
    };
    await counted(10, processOf({ snapshots: watched }));
    expect(order).toEqual(["index 1,2,3,4", "snapshot 4", "index 5,6,7,8", "snapshot 8"]);
    // two that take turns do no more than one
    order.length = 0;
    const stream = newStream();
    const turns = [processOf({ snapshots: watched }), processOf({ snapshots: watched })];
    for (let add = 1; add <= 16; add++) await turns[add % 2]?.add(stream, add);
    expect(order.filter((what) => what.startsWith("snapshot")).length).toBeLessThanOrEqual(4);
    expect(order.flatMap((what) => /index (.*)/.exec(what)?.[1]?.split(",") ?? [])).toEqual(
      Array.from({ length: 16 }, (_, n) => `${n + 1}`),
    );
    for (const add of [1, 5, 9, 16]) expect((await processOf().add(stream, add)).events).toMatchObject([{ version: add }]);
  });
  it("leaves a snapshot that could not be written to the next, and its decision stands", async () => {
    let broken = true;
    const refusing: Snapshots = {
      ...snapshots,
      index: async (...given) => {
        if (broken) throw new Error("the table is throttled");
        return snapshots.index(...given);
      },
    };
    const one = processOf({ snapshots: refusing });
    const stream = await counted(4, one);
    expect(logged.splice(0)).toMatchObject([{ level: "warn", stream, reason: "the table is throttled" }]);
    expect(await rowsOf(stream)).toEqual([]);
    broken = false;
    await one.add(stream, 5);
    expect((await rowsOf(stream)).map(({ sk }) => sk?.S).filter((sk) => sk?.startsWith("handled/"))).toHaveLength(5);
  });
  it("indexes a long past that has no rows bit by bit", async () => {
    const stream = await counted(3);
    // as an engine without snapshots left it: no row of any of 1,100 commits
    for (let n = 4; n <= 1_100; n++) {
      const last = (await store.readBack(stream, 9_999_999_999, 1))[0];
      await store.write(store.headAfter(last ?? stream), {
        events: [{ type: "Counted", v: 1, body: { by: n } }],
        cause: `cause/${n}`,
        correlation: "c",
        actor: "ada",
        now: Date.UTC(2026, 10, 23),
      });
    }
    const sizes: number[] = [];
    for (let n = 1_101; n <= 1_104; n++) {
      await processOf().add(stream, n);
      sizes.push((await snapshots.indexed(stream)).version);
    }
    expect(sizes).toEqual([500, 1_000, 1_103, 1_103]);
    const one = processOf();
    expect(await one.foldedBy(() => one.load(stream))).toBeLessThan(EVERY);
    expect((await one.add(stream, 700)).events).toMatchObject([{ version: 700 }]);
  }, 60_000);
});
