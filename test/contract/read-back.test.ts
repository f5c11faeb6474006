import { afterAll, beforeAll, expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { ChainBroken, unbrokenBack } from "../../engine/log/chain-broken.ts";
import { type EventStore, eventStore } from "../../engine/log/event-store.ts";
import { commitsBack, eventsBack, newestOf } from "../../engine/log/read-back.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";
import { deploymentId } from "../support/samples.ts";

const STREAM = `deployment/${deploymentId(7_000)}`;
const COMMITS = 100;
let table: Table;
let store: EventStore;
beforeAll(async () => {
  table = await startTable();
  store = eventStore(table.client, TABLE);
  for (let version = 1; version <= COMMITS; version++) {
    const events = ["first", "second"].map((word) => ({ type: "Said", v: 1, body: { word: `${word} of ${version}` } }));
    const { head } = await store.load(STREAM);
    await store.append(head, { events, cause: `c${version}`, correlation: "c", actor: "ada", now: 1_000 + version });
  }
});
afterAll(() => table.close());

const all = async (events: AsyncIterable<Recorded>): Promise<string[]> => {
  const words: string[] = [];
  for await (const { body } of events) words.push((body as { word: string }).word);
  return words;
};
/** @param read how many commits were asked for */
const counting = (read: number[]) =>
  eventsBack({
    readBack: (stream, before, limit) => {
      read.push(limit);
      return store.readBack(stream, before, limit);
    },
  });
const says =
  (word: string) =>
  (event: Recorded): event is Recorded =>
    (event.body as { word: string }).word === word;

it("gives every event of a stream once, the newest first", async () => {
  const expected = Array.from({ length: COMMITS }, (_, n) => [`second of ${COMMITS - n}`, `first of ${COMMITS - n}`]).flat();
  expect(await all(eventsBack(store)(STREAM))).toEqual(expected);
  expect(await all(eventsBack(store)(STREAM, 51))).toEqual(expected.slice(100));
  expect(await all(eventsBack(store)(STREAM, 1))).toEqual([]);
  expect(await all(eventsBack(store)(`deployment/${deploymentId(7_001)}`))).toEqual([]);
});

it("reads no further than it takes", async () => {
  const read: number[] = [];
  expect((await newestOf(counting(read)(STREAM), says("first of 99")))?.version).toBe(99);
  expect(read).toEqual([8]);
  expect((await newestOf(counting(read)(STREAM), says("first of 50")))?.version).toBe(50);
  expect(read).toEqual([8, 8, 16, 32]);
});

it("is refused where commits were changed or taken away, as soon as one comes there", async () => {
  const versions = async (change: (commits: Commit[]) => Commit[]): Promise<number> => {
    const readBack = async (...asked: Parameters<EventStore["readBack"]>) => change(await store.readBack(...asked));
    let last = 0;
    for await (const { version } of unbrokenBack(commitsBack({ readBack }, STREAM))) last = version;
    return last;
  };
  expect(await versions((commits) => commits)).toBe(1);
  await expect(versions((commits) => commits.filter(({ version }) => version > 3))).rejects.toThrow("version 3 is missing");
  await expect(versions((commits) => commits.filter(({ version }) => version !== 50))).rejects.toThrow(ChainBroken);
  const changed = (commit: Commit): Commit => (commit.version === 50 ? { ...commit, actor: "eve" } : commit);
  await expect(versions((commits) => commits.map(changed))).rejects.toThrow(ChainBroken);
});

it("finds nothing beyond what ends the search", async () => {
  expect(await newestOf(eventsBack(store)(STREAM), says("first of 50"), says("second of 60"))).toBeUndefined();
  expect((await newestOf(eventsBack(store)(STREAM), says("second of 60"), says("second of 60")))?.version).toBe(60);
  expect(await newestOf(eventsBack(store)(STREAM), says("nothing"))).toBeUndefined();
});
