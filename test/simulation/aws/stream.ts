import type { DynamoDBStreamEvent } from "aws-lambda";
import { relay as declared } from "../../../blueprint/engine-functions.ts";
import { shardOf } from "../../../engine/log/codec.ts";
import type { World } from "../world/world.ts";
import type { Stored } from "./event-table.ts";

type Relay = (event: DynamoDBStreamEvent) => Promise<{ batchItemFailures: readonly { itemIdentifier: string | null }[] }>;
type Shard = { readonly records: { number: string; stored: Stored }[]; busy: boolean; tries: number; asked: boolean };
const SHARDS = 2;

/** The table's stream and its reader: in order per stream, one batch at a time per shard, again from the first failure. */
export const changeStream = (world: World, relay: Relay) => {
  const shards: Shard[] = Array.from({ length: SHARDS }, () => ({ records: [], busy: false, tries: 0, asked: false }));
  let numbers = 0;

  const ask = (shard: Shard, ms: number): void => {
    if (shard.asked) return;
    shard.asked = true;
    world.after(ms, () => {
      shard.asked = false;
      read(shard);
    });
  };
  const read = (shard: Shard): void => {
    if (shard.busy || shard.records.length === 0) return;
    shard.busy = true;
    const batch = shard.records.slice(0, declared.batchSize);
    const Records = batch.map(({ number, stored }) => ({
      eventName: "INSERT",
      dynamodb: { SequenceNumber: number, NewImage: stored.item },
    }));
    world.spawn(
      "relay",
      declared.timeoutSeconds,
      () => relay({ Records } as unknown as DynamoDBStreamEvent),
      (outcome) => {
        shard.busy = false;
        const failed = outcome.is === "done" ? outcome.value.batchItemFailures[0]?.itemIdentifier : batch[0]?.number;
        const done = failed === undefined ? batch.length : batch.findIndex(({ number }) => number === failed);
        shard.records.splice(0, done);
        shard.tries = done > 0 ? 0 : shard.tries + 1;
        // put aside: the mender sends it again
        if (shard.tries > declared.retries) shard.records.shift();
        ask(shard, failed === undefined ? world.latency() : world.random.spread(200, 30_000));
      },
    );
  };

  return {
    put: (stored: Stored): void => {
      if (world.faults.strikes("stream-lost")) return;
      const shard = shards[shardOf(stored.commit.stream) % SHARDS] as Shard;
      shard.records.push({ number: String(++numbers).padStart(10, "0"), stored });
      ask(shard, world.latency());
    },
    isEmpty: (): boolean => shards.every(({ records, busy }) => records.length === 0 && !busy),
  };
};
