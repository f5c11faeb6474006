import { DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { shardOf } from "../../engine/log/codec.ts";
import { SHARDS } from "../../engine/log/entity.ts";
import { type EventStore, eventStore } from "../../engine/log/event-store.ts";
import { eventLog } from "../../engine/log/log.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let table: Table;
let store: EventStore;
let log: ReturnType<typeof eventLog>;
/** The log is one for a table: every test has days of its own. */
let midnight = Date.UTC(2026, 10, 24);
beforeAll(async () => {
  table = await startTable();
  store = eventStore(table.client, TABLE);
  log = eventLog(table.client, TABLE);
});
afterAll(() => table.close());
beforeEach(() => {
  midnight += 10 * DAY;
});

const write = async (stream: string, now: number, size = 1) => {
  const { head, version } = await store.load(stream);
  const events = [{ type: "LampLit", v: 1, body: { lamp: "x".repeat(size) } }];
  await store.append(head, { events, cause: `${stream}@${version}`, correlation: "c", actor: "ada", now });
};
const between = (from: number, to: number, limit?: number) => log.read(positionAt(from), positionAt(to), limit);
const places = (commits: readonly Commit[]) => commits.map(({ stream, version }) => `${stream}@${version}`);
const inOrder = (commits: readonly Commit[]) => [...commits].sort((a, b) => (a.position + a.stream < b.position + b.stream ? -1 : 1));
const streamsOf = (name: string) => Array.from({ length: 24 }, (_, n) => `environment/${name}/e${n}`);

describe("the log", () => {
  it("is in the order of positions, over midnight and over all shards", async () => {
    const streams = streamsOf("night");
    expect(new Set(streams.map(shardOf)).size).toBe(SHARDS);
    // every stream once before midnight and once after, in an order that is not the one of the positions
    for (const [n, stream] of streams.entries()) {
      await write(stream, midnight - ((n * 7) % 24) - 1);
      await write(stream, midnight + ((n * 5) % 24));
    }
    const commits = await between(midnight - HOUR, midnight + HOUR);
    expect(commits).toHaveLength(48);
    expect(commits).toEqual(inOrder(commits));
    expect(new Set(commits.map(({ at }) => at.slice(0, 10))).size).toBe(2);
  });
  it("has everything that the streams have", async () => {
    const streams = streamsOf("whole");
    for (const stream of streams) for (const minute of [0, 1, 2]) await write(stream, midnight + minute * 60_000);
    const whole = new Set(places(await between(midnight, midnight + HOUR)));
    const loaded = await Promise.all(streams.map((stream) => store.load(stream)));
    expect(whole).toEqual(new Set(places(loaded.flatMap(({ commits }) => commits))));
  });
  it("gives a part: its beginning included, its end not", async () => {
    for (const minute of [0, 1, 2, 3]) await write("environment/part/a", midnight + minute * 60_000);
    expect(places(await between(midnight + 60_000, midnight + 180_000))).toEqual(["environment/part/a@2", "environment/part/a@3"]);
  });
  it("gives the first so many, over the days as well", async () => {
    const streams = streamsOf("first");
    for (const [n, stream] of streams.entries()) await write(stream, midnight + (n % 2) * DAY + n);
    const all = await between(midnight, midnight + 2 * DAY);
    expect(all).toHaveLength(24);
    for (const limit of [1, 7, 12, 13, 24])
      expect(places(await between(midnight, midnight + 2 * DAY, limit))).toEqual(places(all.slice(0, limit)));
  });
  it("gives the first so many, and the newest, where most of them are in one shard", async () => {
    const busy = Array.from({ length: 60 }, (_, n) => ["environment/busy/a", midnight + 2 * n] as const);
    const others = streamsOf("busy").map((stream, n) => [stream, midnight + 5 * n + 1] as const);
    for (const [stream, now] of [...busy, ...others]) await write(stream, now);
    const all = await between(midnight, midnight + HOUR);
    expect(all).toHaveLength(84);
    expect(all).toEqual(inOrder(all));
    for (const limit of [1, 2, 8, 20, 50, 83, 84, 85]) {
      expect(places(await between(midnight, midnight + HOUR, limit))).toEqual(places(all.slice(0, limit)));
      expect(places(await log.newest(limit)).slice(0, 84)).toEqual(places(all.toReversed().slice(0, limit)));
    }
  });
  it("is read about twice as far as is wanted, where it is spread over the shards, and not eight times", async () => {
    const streams = streamsOf("wide");
    for (let n = 0; n < 240; n++) await write(streams[(n * 7) % 24] as string, midnight + n);
    const client = table.connect();
    let items = 0;
    client.middlewareStack.add(
      (next) => async (args) => {
        const answer = await next(args);
        const { IndexName } = args.input as { IndexName?: string };
        if (IndexName === "log") items += (answer.output as { Items?: unknown[] }).Items?.length ?? 0;
        return answer;
      },
      { step: "initialize" },
    );
    const commits = await eventLog(client, TABLE).read(positionAt(midnight), positionAt(midnight + HOUR), 60);
    expect(commits.map(({ at }) => Date.parse(at) - midnight)).toEqual(Array.from({ length: 60 }, (_, n) => n));
    expect(items).toBeLessThan(3 * 60);
  });
  it("is read on where a page of DynamoDB ends", async () => {
    // 1.2 MB in one shard; a page ends at 1 MB
    for (let n = 0; n < 40; n++) await write("environment/long/a", midnight + n, 30_000);
    const commits = await between(midnight, midnight + HOUR);
    expect(commits.map(({ version }) => version)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });
  it("has what a stream goes on with on another day, and what was written before days had names, once every day has one", async () => {
    for (const day of [0, 1]) await write("environment/unnamed/a", midnight + day * DAY);
    const sk = (day: number) => ({ S: new Date(midnight + day * DAY).toISOString().slice(0, 10) });
    for (const day of [0, 1]) await table.client.send(new DeleteItemCommand({ TableName: TABLE, Key: { pk: { S: "log" }, sk: sk(day) } }));
    await eventLog(table.client, TABLE).completeDays();
    await write("environment/unnamed/a", midnight + 3 * DAY);
    const found = await eventLog(table.client, TABLE).read(positionAt(midnight), positionAt(midnight + 5 * DAY));
    expect(places(found)).toEqual([1, 2, 3].map((version) => `environment/unnamed/a@${version}`));
  });
  it("gives the newest so many, newest first, over the days as well", async () => {
    const streams = streamsOf("newest");
    for (const [n, stream] of streams.entries()) await write(stream, midnight - 12 + ((n * 7) % 24));
    const all = await between(midnight - HOUR, midnight + HOUR);
    expect(all).toHaveLength(24);
    for (const limit of [1, 5, 20]) expect(await log.newest(limit)).toEqual(all.slice(-limit).reverse());
  });
  it("is empty where nothing happened", async () => {
    expect(await between(midnight, midnight + 3 * DAY)).toEqual([]);
    expect(await between(midnight, midnight)).toEqual([]);
  });
});
