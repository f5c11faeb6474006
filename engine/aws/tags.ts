import { BatchWriteItemCommand, type DynamoDBClient, type WriteRequest } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../kit/clock.ts";

const BATCH = 25;
const TRIES = 8;

/** The tag table that a site's server reads: OpenNext's own initialisation reports success even where the write failed. */
export const tagTables = (client: DynamoDBClient, clock: Clock) => ({
  /** Writes every seed; throws naming the table and how many are missing after eight tries. */
  seed: async (table: string, seeds: readonly { tag: string; path: string; revalidatedAt: string }[]): Promise<void> => {
    for (let from = 0; from < seeds.length; from += BATCH) {
      let left: WriteRequest[] = seeds.slice(from, from + BATCH).map(({ tag, path, revalidatedAt }) => ({
        PutRequest: { Item: { tag: { S: tag }, path: { S: path }, revalidatedAt: { N: revalidatedAt } } },
      }));
      for (let tries = 1; left.length > 0; tries++) {
        if (tries > TRIES)
          throw new Error(`${left.length} tags could not be written to ${table}: it is throttled; the message comes again`);
        if (tries > 1) await clock.sleep(25 * 2 ** tries * (1 + clock.random()));
        const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: left } }));
        left = UnprocessedItems?.[table] ?? [];
      }
    }
  },
});
export type Tags = ReturnType<typeof tagTables>;
