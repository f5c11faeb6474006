import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import { type Commit, commitHash } from "../../domain/kernel/chain.ts";
import { type Item, itemCodec, sha256 } from "../../engine/log/codec.ts";
import { newestStreams, type Ports, SAMPLE, type Sampled, sampleTable } from "../../engine/log/sample-table.ts";
import { tableRows } from "../../engine/log/table-rows.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";
import { logOf, MORNING } from "../support/sealed-log.ts";

const itemOf = itemCodec(EVENTS_TABLE);
let room: ReplayRoom;
let ports: Ports;
const open = async (log: readonly Commit[], sealed: number): Promise<void> => {
  room = await startReplayRoom();
  await room.write(log);
  await room.seal(MORNING + sealed * 1_000);
  ports = {
    rows: tableRows(room.clients.dynamodb, EVENTS_TABLE),
    newest: newestStreams(room.clients.dynamodb, EVENTS_TABLE),
    sealedHead: room.views.sealedHead,
    itemOf,
    random: () => 0.4,
  };
};
const put = (item: Item) => room.clients.dynamodb.send(new PutItemCommand({ TableName: EVENTS_TABLE, Item: item }));
const drop = ({ pk, sk }: Item) => room.clients.dynamodb.send(new DeleteItemCommand({ TableName: EVENTS_TABLE, Key: { pk, sk } as Item }));
const sample = (change: Partial<Ports> = {}): Promise<Sampled> => sampleTable({ ...ports, ...change });

/** What is found while these commits stand in the place of others, or nothing does. */
const tampered = async (before: readonly Commit[], after: readonly Commit[]): Promise<Sampled> => {
  for (const commit of before) await drop(itemOf(commit));
  for (const commit of after) await put(itemOf(commit));
  try {
    return await sample();
  } finally {
    for (const commit of before) await put(itemOf(commit));
  }
};

describe("a sample of a small table", () => {
  const log = logOf(40);
  const stream = "deployment/dep_2";
  const rows = log.filter((one) => one.stream === stream);
  const third = rows[2] as Commit;
  beforeAll(() => open(log, 30));
  afterAll(() => room.close());

  it("is all of it, and finds a fine table whole", async () => {
    expect(await sample()).toEqual({ streams: 5, commits: 40, sealed: 5, faults: [] });
  });

  it("names stream and version of a row that was changed, and of one that is gone", async () => {
    expect((await tampered([third], [{ ...third, actor: "mallory" }])).faults).toMatchObject([
      { stream, version: 3, reason: "its content was changed after it was written" },
    ]);
    expect((await tampered([third], [])).faults).toMatchObject([{ stream, version: 3 }]);
  });

  it("names a stream whose sealed end was cut off, though its chain holds", async () => {
    const { faults, sealed } = await tampered(rows.slice(4), []);
    expect(faults).toMatchObject([{ stream, version: 5, reason: expect.stringContaining("its end is gone") }]);
    expect(sealed).toBe(4);
  });

  it("names a stream that was written anew, with a chain that holds", async () => {
    let prev = third.prev;
    const anew = rows.slice(2).map((commit) => {
      const changed = { ...commit, actor: "mallory", prev };
      prev = commitHash(sha256, changed);
      return { ...changed, hash: prev };
    });
    expect((await tampered(rows.slice(2), anew)).faults).toMatchObject([
      { stream, version: 6, reason: "it is not what was sealed, or one before it is not" },
    ]);
  });
});

describe("a sample of a table of many streams, of which one is long", () => {
  /** one stream of 230 commits, 60 of four */
  const long = logOf(230, 1);
  const many = logOf(240, 60).filter(({ stream }) => stream !== "deployment/dep_0");
  // its last seal lies before what a sample reads
  beforeAll(() => open([...long, ...many], 20));
  afterAll(() => room.close());

  const first = async (): Promise<Sampled> => sample({ newest: async () => ["deployment/dep_0"] });
  const planted = async (commit: Commit, change: Partial<Commit>, look = first): Promise<Sampled> => {
    await put(itemOf({ ...commit, ...change }));
    try {
      return await look();
    } finally {
      await put(itemOf(commit));
    }
  };

  it("reads no more than 20 streams, and no more than 200 commits of each", async () => {
    let requests = 0;
    const { end, at, nextStream } = ports.rows;
    const counted =
      <A extends unknown[], R>(act: (...words: A) => R) =>
      (...words: A): R => {
        requests += 1;
        return act(...words);
      };
    const rows = { end: counted(end), at: counted(at), nextStream: counted(nextStream) };
    const { streams, commits, faults } = await sample({ rows, newest: async () => ["deployment/dep_0"] });
    expect({ streams, faults }).toEqual({ streams: SAMPLE, faults: [] });
    expect(commits).toBe(200 + 19 * 4);
    expect(requests).toBeLessThanOrEqual(2 * SAMPLE + 2 * SAMPLE);
  });

  it("finds a change among the last commits of the long one, and at its last sealed commit", async () => {
    expect((await planted(long[150] as Commit, { actor: "mallory" })).faults).toMatchObject([
      { stream: "deployment/dep_0", version: 151, reason: "its content was changed after it was written" },
    ]);
    const sealed = (await room.views.sealedHead("deployment/dep_0"))?.version ?? 0;
    expect(sealed).toBe(20);
    expect((await planted(long[sealed - 1] as Commit, { actor: "mallory" })).faults).toMatchObject([
      { stream: "deployment/dep_0", version: sealed },
    ]);
    await drop(itemOf(long[sealed - 1] as Commit));
    expect((await first()).faults).toMatchObject([{ stream: "deployment/dep_0", version: sealed }]);
    await put(itemOf(long[sealed - 1] as Commit));
  });

  it("has other streams at another place of the table", async () => {
    const sampledAt = async (random: number): Promise<string[]> => {
      const seen: string[] = [];
      const end = (stream: string, limit: number) => {
        seen.push(stream);
        return ports.rows.end(stream, limit);
      };
      await sample({ random: () => random, newest: async () => [], rows: { ...ports.rows, end } });
      return seen.sort();
    };
    const places = await Promise.all([0.1, 0.2, 0.3, 0.5, 0.7, 0.9].map(sampledAt));
    expect(new Set(places.flat()).size).toBeGreaterThan(2 * SAMPLE);
  });

  it("always has the streams that were written to last", async () => {
    const decision = { events: [], cause: "cmd_last", correlation: "cmd_last", actor: "ada", now: Date.now() };
    await room.store.append((await room.store.load("deployment/dep_newest")).head, decision);
    const [commit] = (await room.store.read("deployment/dep_newest", 0)) as [Commit];
    for (const random of [0.1, 0.4, 0.8]) {
      const look = (): Promise<Sampled> => sample({ random: () => random });
      expect((await planted(commit, { actor: "mallory" }, look)).faults).toMatchObject([{ stream: commit.stream, version: 1 }]);
    }
  });
});
