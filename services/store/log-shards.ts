import { type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { Commit } from "../../domain/kernel/chain.ts";
import { commitOf, dayOf, type Item } from "./codec.ts";

const DAY = 24 * 3600 * 1000;
const PAGE = 1_000;

export type LogShards = ReturnType<typeof logShards>;

/** The log shard by shard, so that eight readers can go on at once. A stream is in one shard, in its order. */
export const logShards = (client: DynamoDBClient, table: string) => ({
  /** One shard's commits from a position (included) up to another (excluded), page by page. */
  read: async function* (shard: number, since: string, until: string): AsyncGenerator<Commit[]> {
    for (let day = Math.floor(Number(since) / DAY) * DAY; day < Number(until); day += DAY) {
      let from: Item | undefined;
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            IndexName: "log",
            KeyConditionExpression: "gsi1pk = :partition AND gsi1sk BETWEEN :since AND :until",
            ExpressionAttributeValues: {
              ":partition": { S: `${dayOf(String(day))}#${shard}` },
              ":since": { S: since },
              ":until": { S: until },
            },
            ExclusiveStartKey: from,
            Limit: PAGE,
          }),
        );
        yield (page.Items ?? []).map(commitOf);
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
    }
  },
});
