import { BatchWriteItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import { type Commit, commitHash, commitId } from "../../domain/kernel/chain.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { itemCodec, sha256 } from "../../engine/log/codec.ts";
import { median } from "./measure.ts";

export type Cost = { readonly ms: number; readonly units: number; readonly requests: number };

const BATCH = 25;

/** Writes each event as a commit of its own behind the stream's last one, as quickly as the table takes them. */
export const writeCommits = async (
  client: DynamoDBClient,
  table: string,
  stream: string,
  last: Commit | undefined,
  events: readonly AnyEvent[],
): Promise<void> => {
  const itemOf = itemCodec(table);
  let { version, position, hash: prev } = last ?? { version: 0, position: "0", hash: "" };
  const items = events.map(({ type, v, body }) => {
    version += 1;
    position = String(Math.max(Number(position) + 1, BEGINNING)).padStart(15, "0");
    const cause = `history/${version}`;
    const fields = {
      id: commitId(sha256, stream, cause),
      body: JSON.stringify([{ type, v, body }]),
      cause,
      correlation: "bench",
      actor: "bench",
    };
    const commit = { stream, version, ...fields, origin: "", at: new Date(Number(position)).toISOString(), position, prev };
    prev = commitHash(sha256, commit);
    return itemOf({ ...commit, hash: prev });
  });
  for (let at = 0; at < items.length; at += BATCH) {
    const RequestItems = { [table]: items.slice(at, at + BATCH).map((Item) => ({ PutRequest: { Item } })) };
    await client.send(new BatchWriteItemCommand({ RequestItems }));
  }
};
/** When the first commit was written, in milliseconds since 1970; each is a millisecond later than the one before. */
export const BEGINNING = Date.UTC(2026, 0, 1);

type Units = { readonly CapacityUnits?: number };
const WRITES = new Set(["PutItemCommand", "BatchWriteItemCommand"]);

/** Counts what the clients ask: the median time of one, its read units and requests. */
export const counting = (client: DynamoDBClient, ...others: readonly Pick<S3Client, "middlewareStack">[]) => {
  let units = 0;
  let requests = 0;
  for (const { middlewareStack } of others)
    middlewareStack.add(
      (next) => (args) => {
        requests += 1;
        return next(args);
      },
      { step: "initialize", name: "counting" },
    );
  client.middlewareStack.add(
    (next, context) => async (args) => {
      (args.input as { ReturnConsumedCapacity?: string }).ReturnConsumedCapacity = "TOTAL";
      const result = await next(args);
      const { ConsumedCapacity } = result.output as { ConsumedCapacity?: Units | Units[] };
      requests += 1;
      if (!WRITES.has(String(context.commandName))) for (const one of [ConsumedCapacity ?? []].flat()) units += one.CapacityUnits ?? 0;
      return result;
    },
    { step: "initialize", name: "counting" },
  );
  return async (times: number, act: (n: number) => Promise<unknown>): Promise<Cost> => {
    const before = [units, requests] as const;
    const taken: number[] = [];
    for (let n = 0; n < times; n++) {
      const began = performance.now();
      await act(n);
      taken.push(performance.now() - began);
    }
    return { ms: median(taken), units: (units - before[0]) / times, requests: Math.round((requests - before[1]) / times) };
  };
};
