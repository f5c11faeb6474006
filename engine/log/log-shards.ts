import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Commit } from "../../domain/kernel/chain.ts";
import { commitOf, type Item } from "./codec.ts";
import { logDays } from "./days.ts";
import { logPage } from "./log-page.ts";

export type LogShards = ReturnType<typeof logShards>;

/** The log shard by shard, so that eight readers can go on at once. A stream is in one shard, in its order. */
export const logShards = (client: DynamoDBClient, table: string) => {
  const days = logDays(client, table);
  return {
    /** One shard's commits from a position (included) up to another (excluded), page by page. */
    read: async function* (shard: number, since: string, until: string): AsyncGenerator<Commit[]> {
      for (const day of await days.between(since, until)) {
        let from: Item | undefined;
        do {
          const page = await logPage(client, table, { day, shard, since, until }, from);
          yield page.items.map(commitOf);
          from = page.from;
        } while (from !== undefined);
      }
    },
  };
};
