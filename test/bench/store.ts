import { type AttributeValue, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { each } from "../../engine/kit/each.ts";
import { sortKey } from "../../engine/log/codec.ts";
import type { Decision, EventStore, Head } from "../../engine/log/event-store.ts";
import { deploymentId } from "../support/samples.ts";
import { deploymentHistory, environmentHistory } from "./histories.ts";
import { sideBySide, stopwatch } from "./measure.ts";
import { type Line, ratioLine } from "./report.ts";
import { withStore } from "./room.ts";

const APPENDS = 64;
const APPEND_ROUNDS = 40;

/** `store.append` against the PutItem that it comes to: what hashing, position, JSON and the item cost. */
export const append = (): Promise<readonly Line[]> =>
  withStore(async ({ store, clients, table }) => {
    const event = deploymentHistory(1).find(({ type }) => type === "VersionsPublished") as AnyEvent;
    let streams = 0;
    const freshStream = (): string => deploymentStream(deploymentId(++streams));
    const sample = await sampleItem();
    const lines: Line[] = [];
    for (const [width, name] of [
      [1, "one at a time"],
      [16, "16 at once"],
    ] as const) {
      let heads: Head[] = [];
      let items: Record<string, AttributeValue>[] = [];
      const { ratios, theirs } = await sideBySide(
        {
          ours: () => stopwatch(() => each(heads, width, async (head) => void (await store.append(head, decision(event))))),
          theirs: () => stopwatch(() => each(items, width, putRaw)),
        },
        {
          rounds: APPEND_ROUNDS,
          warmUp: 15,
          prepare: async () => {
            heads = [];
            for (let n = 0; n < APPENDS; n++) heads.push(await secondOf(store, freshStream()));
            items = heads.map(() => rawItem(sample, freshStream()));
          },
        },
      );
      const raw = Math.round((APPENDS * 1_000) / Math.min(...theirs));
      const what = `store.append ÷ raw PutItem, ${name}`;
      lines.push(ratioLine({ bench: "append", what, target: { is: "at least", value: 0.85 }, note: `raw at its best ${raw}/s` }, ratios));
    }
    return lines;

    async function putRaw(Item: Record<string, AttributeValue>): Promise<void> {
      await clients.dynamodb.send(new PutItemCommand({ TableName: table, Item, ConditionExpression: "attribute_not_exists(pk)" }));
    }

    /** An item as the store writes it, so that the raw one has its size, its keys and its index. */
    async function sampleItem(): Promise<Record<string, AttributeValue>> {
      const stream = freshStream();
      await store.append(await secondOf(store, stream), decision(event));
      const { Item } = await clients.dynamodb.send(
        new GetItemCommand({ TableName: table, Key: { pk: { S: stream }, sk: { S: sortKey(2) } } }),
      );
      if (Item === undefined) throw new Error("the sample was not written");
      return Item;
    }
  });

const decision = (...events: readonly AnyEvent[]): Decision => ({
  events,
  cause: crypto.randomUUID(),
  correlation: "bench/1",
  actor: "shiplog bench",
  now: Date.now(),
});

/** The head of a stream that has begun: the next append has a predecessor's hash and position, as nearly all have. */
const secondOf = async (store: EventStore, stream: string): Promise<Head> => {
  const { head } = await store.load(stream);
  await store.append(head, decision({ type: "Begun", v: 1, body: {} }));
  return (await store.load(stream)).head;
};

const rawItem = (sample: Record<string, AttributeValue>, stream: string): Record<string, AttributeValue> => ({
  ...sample,
  pk: { S: stream },
  gsi1sk: { S: `${sample.position?.S}#${stream}#${sample.sk?.S}` },
  stream: { S: stream },
});

const LENGTH = 100;
const LOADS = 8;

/** `store.load` and every event read through its schema, as `execute` does, against a Query that looks at nothing. */
export const load = (): Promise<readonly Line[]> =>
  withStore(async ({ store, clients, table }) => {
    const stream = environmentStream("web", "production");
    for (const event of environmentHistory(LENGTH)) await store.append((await store.load(stream)).head, decision(event));

    const repeat = (once: () => Promise<number>) => () =>
      stopwatch(async () => {
        for (let n = 0; n < LOADS; n++) {
          const found = await once();
          if (found !== LENGTH) throw new Error(`${found} of ${LENGTH} events were found`);
        }
      });
    const ours = repeat(async () => {
      const { commits } = await store.load(stream);
      let read = 0;
      for (const commit of commits) for (const event of JSON.parse(commit.body) as AnyEvent[]) read += readEnvironmentEvent(event).v;
      return read;
    });
    const theirs = repeat(async () => {
      const { Items = [] } = await clients.dynamodb.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: "pk = :stream",
          ExpressionAttributeValues: { ":stream": { S: stream } },
        }),
      );
      return Items.length;
    });
    const { ratios, ours: taken } = await sideBySide({ ours, theirs }, { rounds: 40, warmUp: 15 });
    const note = `${(Math.min(...taken) / LOADS).toFixed(1)} ms a load at best`;
    return [
      ratioLine({ bench: "load", what: "load + read of 100 events ÷ raw Query", target: { is: "at least", value: 0.7 }, note }, ratios),
    ];
  });
