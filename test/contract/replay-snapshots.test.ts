import { type BatchWriteItemCommandInput, DeleteItemCommand, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SNAPSHOTS_TABLE } from "../../blueprint/topology.ts";
import { environment as decider } from "../../domain/environment/decider.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { emptyEnvironment } from "../../domain/projections/environment-view.ts";
import { type EventStore, eventStore } from "../../engine/log/event-store.ts";
import { aggregates } from "../../engine/log/execute.ts";
import { lastUsed } from "../../engine/log/memory.ts";
import { snapshotRows } from "../../engine/log/snapshot-rows.ts";
import { NOTHING_INDEXED, type Snapshots, snapshotTable } from "../../engine/log/snapshots.ts";
import { waypointNotes } from "../../engine/views/waypoint-notes.ts";
import { waypointRows } from "../../engine/views/waypoint-rows.ts";
import { dropSnapshots, type Ports, verifySnapshots } from "../../operator/replay/snapshots.ts";
import { wireSnapshots } from "../../operator/replay/snapshots-wiring.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";
import { at, request } from "../support/samples.ts";

let table: Table;
let store: EventStore;
let snapshots: Snapshots;
beforeAll(async () => {
  table = await startTable();
  store = eventStore(table.client, TABLE);
  snapshots = snapshotTable(table.client, SNAPSHOTS_TABLE);
});
afterAll(() => table.close());
beforeEach(async () => {
  for (const { pk, sk } of await items())
    await table.client.send(new DeleteItemCommand({ TableName: SNAPSHOTS_TABLE, Key: { pk: pk as never, sk: sk as never } }));
});

const items = async () => (await table.client.send(new ScanCommand({ TableName: SNAPSHOTS_TABLE }))).Items ?? [];
const keysOf = async (stream: string): Promise<string[]> =>
  (await items()).flatMap(({ pk, sk }) => (pk?.S === stream ? [sk?.S ?? ""] : []));
const put = (stream: string, sk: string, more: Record<string, { N: string } | { S: string }>) =>
  table.client.send(new PutItemCommand({ TableName: SNAPSHOTS_TABLE, Item: { pk: { S: stream }, sk: { S: sk }, ...more } }));

let sites = 0;
/** A process with an environment of its own. */
const processOf = (site = `web${++sites}`, over = snapshots) => {
  const clock = { now: () => Date.parse(at()), sleep: async () => {}, random: () => 0.5 };
  const memory = lastUsed<never>(10);
  const { environment } = aggregates({ store, snapshots: over, every: 4, memoryOf: () => memory, clock, log: () => undefined });
  const stream = environmentStream(site, "production");
  const admit = (n: number) =>
    environment.execute(
      site,
      "production",
      { type: "AdmitDeployment", request: request(n, { site }), actor: "ada", at: at() },
      { cause: `cmd_${n}`, correlation: "c", actor: "ada" },
    );
  return {
    site,
    stream,
    admit,
    admitted: async (from: number, to: number): Promise<void> => {
      for (let n = from; n <= to; n++) await admit(n);
    },
    load: () => environment.load(site, "production"),
    commits: (): Promise<Commit[]> => store.read(stream, 0),
  };
};
const again = ({ site }: { site: string }) => processOf(site);
const lived = async (commits: number) => {
  const one = processOf();
  await one.admitted(1, commits);
  return one;
};

const told: string[] = [];
/** @param pauses what others do in the first, second … pause */
const portsWith = (...pauses: readonly (() => Promise<unknown>)[]): Ports => {
  let now = 0;
  let pause = -1;
  let due = false;
  told.length = 0;
  return wireSnapshots(
    table.client,
    { eventsTable: TABLE, snapshotsTable: SNAPSHOTS_TABLE, viewsTable: TABLE },
    {
      clock: {
        now: () => now,
        sleep: async (milliseconds) => {
          now += milliseconds;
          if (!due) return;
          due = false;
          await pauses[pause]?.();
        },
        random: () => 0.5,
      },
      by: `run ${Math.random()}`,
      tell: (line) => {
        told.push(line);
        if (!line.startsWith("waiting")) return;
        pause += 1;
        due = true;
      },
    },
  );
};
const found = async () => (await verifySnapshots(portsWith())).differences;

/** A client of a table which leaves some batches of changes undone, and says so. */
const refusing = (refuses: (attempt: number) => boolean) => {
  const client = table.connect();
  let attempts = 0;
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== "BatchWriteItemCommand" || !refuses(++attempts)) return next(args);
        const { RequestItems: UnprocessedItems } = args.input as BatchWriteItemCommandInput;
        return { output: { UnprocessedItems, $metadata: {} }, response: {} };
      },
    { step: "initialize" },
  );
  return client;
};

describe("the snapshots are compared with the log", () => {
  it("and are what it says where nobody changed them", async () => {
    const [one, other] = [await lived(13), await lived(6)];
    expect(await verifySnapshots(portsWith())).toMatchObject({ streams: 2, states: 2, causes: 12 + 4, foreign: 0, differences: [] });
    // another process goes on from the snapshot
    await again(one).admitted(14, 20);
    await again(other).admitted(7, 9);
    expect(await found()).toEqual([]);
  });
  it("and a state that was changed is named, though its digest fits", async () => {
    const { stream } = await lived(8);
    const snapshot = await snapshots.newest(stream, decider.shape);
    if (snapshot === undefined) throw new Error("there is no snapshot");
    const state = snapshot.state.replace(/"lastSequence":\d+|"sequence":\d+/, (field) => field.replace(/\d+/, "77"));
    expect(state).not.toBe(snapshot.state);
    await snapshots.write(stream, decider.shape, { ...snapshot, state });
    expect(await found()).toEqual([{ stream, what: "its state is not what the log says at version 8" }]);
    await snapshots.write(stream, decider.shape, { ...snapshot, hash: "h".repeat(43) });
    expect(await found()).toEqual([{ stream, what: "its state is not of the commit that version 8 is in the log" }]);
    await snapshots.write(stream, decider.shape, { ...snapshot, version: 9 });
    expect(await found()).toEqual([{ stream, what: "its state is of version 9, and the log has 8 versions" }]);
    await put(stream, `state/${decider.shape}`, { version: { N: "8" } });
    expect(await found()).toEqual([{ stream, what: "its state is not as it was written" }]);
  });
  it("and the order of a state's fields is nothing", async () => {
    const { stream } = await lived(8);
    const snapshot = await snapshots.newest(stream, decider.shape);
    if (snapshot === undefined) throw new Error("there is no snapshot");
    const state = JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(snapshot.state)).reverse()));
    expect(state).not.toBe(snapshot.state);
    await snapshots.write(stream, decider.shape, { ...snapshot, state });
    expect(await found()).toEqual([]);
  });
  it("and rows of causes are named that are missing, or say something else", async () => {
    const { stream, commits } = await lived(8);
    const ids = (await commits()).map(({ id }) => id);
    await table.client.send(
      new DeleteItemCommand({ TableName: SNAPSHOTS_TABLE, Key: { pk: { S: stream }, sk: { S: `handled/${ids[2]}` } } }),
    );
    expect(await found()).toEqual([{ stream, what: "no row says that these versions' causes were handled: 3" }]);
    await put(stream, `handled/${ids[2]}`, { version: { N: "4" } });
    expect(await found()).toEqual([{ stream, what: "the row of version 3 says 4" }]);
    await put(stream, `handled/${ids[2]}`, {});
    expect(await found()).toEqual([{ stream, what: "the row of version 3 says no version" }]);
    await put(stream, `handled/${ids[2]}`, { version: { N: "3" } });
    await put(stream, "handled/nobodys", {});
    await put(stream, "notes", {});
    await put("environment/gone/production", "indexed", { version: { N: "3" } });
    expect(await found()).toEqual([
      { stream: "environment/gone/production", what: "the log has no such stream" },
      { stream, what: "a row names the commit nobodys, which the log does not have" },
      { stream, what: 'it has the row "notes", which no engine writes' },
    ]);
  });
  it("and an index that is ahead of the log is named", async () => {
    const { stream } = await lived(8);
    await put(stream, "indexed", { version: { N: "9" }, hash: { S: "of another" } });
    expect(await found()).toEqual([{ stream, what: "its causes are indexed up to version 9, and the log has 8 versions" }]);
  });
  it("and an index of another past is named: the table of events was put back to a moment before", async () => {
    const { stream } = await lived(8);
    await put(stream, "indexed", { version: { N: "8" }, hash: { S: "of another" } });
    expect(await found()).toEqual([{ stream, what: "its causes are indexed up to a commit that version 8 is not in the log" }]);
  });
  it("and a state of another shape is another release's, not wrong", async () => {
    const { stream } = await lived(8);
    await snapshots.write(stream, decider.shape + 1, { version: 8, hash: "of another", state: "{}" });
    expect(await verifySnapshots(portsWith())).toMatchObject({ states: 2, foreign: 1, differences: [] });
  });
});

describe("the snapshots are dropped", () => {
  it("whole, and every cause is still found handled: by who remembers the stream and by who does not", async () => {
    const one = await lived(9);
    const other = await lived(40);
    await put("environment/gone/production", "state/1", { version: { N: "3" } });
    expect(await dropSnapshots(portsWith())).toMatchObject({ streams: 3, rows: 8 + 1 + 40 + 1 + 1, left: 0, seconds: 20 });
    expect(told).toEqual([
      "waiting 10 seconds for engines that still look for rows",
      "51 rows removed",
      "waiting 10 seconds for engines that still write rows",
    ]);
    expect(await items()).toEqual([]);
    for (const process of [one, again(one)]) expect((await process.admit(2)).events).toMatchObject([{ version: 2 }]);
    for (const process of [other, again(other)]) expect((await process.admit(39)).events).toMatchObject([{ version: 39 }]);
    await again(other).admit(41);
    expect((await snapshots.indexed(other.stream)).version).toBe(41);
    expect(await found()).toEqual([]);
  });
  it("and with them the rows of environments as they were, also one that somebody leaves meanwhile", async () => {
    const one = await lived(8);
    const [first] = await one.commits();
    const notes = waypointNotes(DynamoDBDocumentClient.from(table.client), TABLE);
    const leave = () => notes.noteWaypoint(first ?? expect.unreachable(), emptyEnvironment(one.site, "production"));
    await leave();
    expect(await verifySnapshots(portsWith())).toMatchObject({ waypoints: 1, differences: [{ stream: one.stream }] });
    expect(await dropSnapshots(portsWith(leave, leave))).toMatchObject({ streams: 1, rows: 8 + 1 + 1 + 1 });
    expect(await waypointRows(table.client, TABLE).about()).toEqual([]);
    await leave();
    // though there is nothing else
    expect(await dropSnapshots(portsWith(leave, leave))).toMatchObject({ streams: 1, rows: 2, seconds: 20 });
    expect(await waypointRows(table.client, TABLE).about()).toEqual([]);
  });
  it("where there are none, at once", async () => {
    expect(await dropSnapshots(portsWith())).toMatchObject({ streams: 0, rows: 0, left: 0, seconds: 0 });
  });
  it("while processes go on, and what these write is what the log says", async () => {
    const one = await lived(40);
    const goOn = async (from: number): Promise<void> => {
      await one.admitted(from, from + 4);
      await again(one).admitted(from + 5, from + 9);
      for (const n of [1, 20, 40, from]) expect((await again(one).admit(n)).events).toMatchObject([{ version: n }]);
      expect((await one.admit(3)).events).toMatchObject([{ version: 3 }]);
      expect((await snapshots.indexed(one.stream)).version).toBe(0);
      await snapshots.index(one.stream, [], { version: 40, hash: "h" }, { version: 44, hash: "h" });
      await snapshots.index(one.stream, [], NOTHING_INDEXED, { version: 44, hash: "h" });
      expect((await snapshots.indexed(one.stream)).version).toBe(0);
    };
    expect(
      await dropSnapshots(
        portsWith(
          () => goOn(41),
          () => goOn(51),
        ),
      ),
    ).toMatchObject({ left: 0 });
    expect(await found()).toEqual([]);
    await again(one).admitted(61, 70);
    expect((await snapshots.indexed(one.stream)).version).toBeGreaterThan(60);
    expect(await found()).toEqual([]);
    for (const n of [1, 40, 41, 60, 61]) expect((await again(one).admit(n)).events).toMatchObject([{ version: n }]);
  });
  it("and who begins to write rows before they are removed does not say afterwards that they are there", async () => {
    const one = await lived(40);
    let meanwhile: (() => Promise<void>) | undefined;
    // a process which is slow between the rows and the note that they are there
    const slow: Snapshots = {
      ...snapshots,
      index: async (stream, handled, was, upTo) => {
        for (const [id, version] of handled) await put(stream, `handled/${id}`, { version: { N: String(version) } });
        const act = meanwhile;
        meanwhile = undefined;
        await act?.();
        return snapshots.index(stream, [], was, upTo);
      },
    };
    const writing = processOf(one.site, slow);
    let written = Promise.resolve() as Promise<unknown>;
    const finish = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    meanwhile = async () => {
      begun.resolve();
      await finish.promise;
    };
    const begin = async (): Promise<void> => {
      written = writing.admit(41);
      await Promise.race([begun.promise, written.then(() => Promise.reject(new Error("no row was written")))]);
    };
    const end = async (): Promise<void> => {
      finish.resolve();
      await written;
    };
    await dropSnapshots(portsWith(begin, end));
    expect(await found()).toEqual([]);
    for (const n of [1, 20, 41]) expect((await again(one).admit(n)).events).toMatchObject([{ version: n }]);
  });
  it("of a stream that was indexed anew before it is opened, nothing is touched", async () => {
    const one = await lived(8);
    const rows = snapshotRows(table.client, SNAPSHOTS_TABLE);
    const openAndIndex = async (): Promise<void> => {
      await table.client.send(new DeleteItemCommand({ TableName: SNAPSHOTS_TABLE, Key: { pk: { S: one.stream }, sk: { S: "indexed" } } }));
      await again(one).admitted(9, 12);
    };
    expect(await dropSnapshots(portsWith(openAndIndex))).toMatchObject({ streams: 1, rows: 0, left: 1 });
    expect(await rows.of(one.stream)).toMatchObject({ indexed: { version: 9 }, closed: false });
    expect(await found()).toEqual([]);
  });
  it("by two at once: who closed a stream last removes its rows, and opens it", async () => {
    const { stream } = await lived(8);
    const second: Promise<unknown>[] = [];
    const first = portsWith(async () => {
      const closed = Promise.withResolvers<void>();
      const ports = wireSnapshots(
        table.client,
        { eventsTable: TABLE, snapshotsTable: SNAPSHOTS_TABLE, viewsTable: TABLE },
        {
          ...portsWith(),
          clock: { now: () => Date.now() * 1_000, sleep: (ms) => new Promise((woken) => setTimeout(woken, ms / 1_000)), random: () => 0 },
          by: "the second",
          tell: () => closed.resolve(),
        },
      );
      second.push(dropSnapshots(ports));
      await closed.promise;
    });
    expect(await dropSnapshots(first)).toMatchObject({ streams: 1, rows: 0, left: 1 });
    expect(await Promise.all(second)).toMatchObject([{ streams: 1, rows: 9, left: 0 }]);
    expect(await keysOf(stream)).toEqual([]);
  });
  it("though the table takes changes at the second attempt alone, and not where it never takes them", async () => {
    await lived(40);
    const rowsRefusing = (refuses: (attempt: number) => boolean) => snapshotRows(refusing(refuses), SNAPSHOTS_TABLE);
    await expect(dropSnapshots({ ...portsWith(), rows: rowsRefusing(() => true) })).rejects.toThrow(
      "DynamoDB had no room for changes of shiplog-snapshots in 20 tries (1 are left)",
    );
    const { rows, seconds } = await dropSnapshots({ ...portsWith(), rows: rowsRefusing((attempt) => attempt % 2 === 1) });
    expect(rows).toBe(41);
    expect(seconds).toBeGreaterThan(20.5);
    expect(await items()).toEqual([]);
  });
  it("not to their end where it is interrupted: the streams stay closed, which is named, and the next run ends it", async () => {
    const one = await lived(8);
    const interrupted = new AbortController();
    const ports = { ...portsWith(async () => interrupted.abort()), signal: interrupted.signal };
    await expect(dropSnapshots(ports)).rejects.toThrow("aborted");
    expect(ports.clock.now()).toBeLessThan(1_000);
    expect((await again(one).admit(3)).events).toMatchObject([{ version: 3 }]);
    await again(one).admitted(9, 14);
    expect(await found()).toEqual([
      { stream: one.stream, what: "a drop of its rows is under way or was cut off: its causes are not indexed until one ends" },
    ]);
    expect(await dropSnapshots(portsWith())).toMatchObject({ left: 0 });
    expect(await items()).toEqual([]);
  });
});
