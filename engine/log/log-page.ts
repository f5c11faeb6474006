import { type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { dayOf, type Item } from "./codec.ts";

/** Items of one answer: DynamoDB ends a page at 1 MB anyway. */
const PAGE = 1_000;

/** One shard of one day in the index `log`, between two positions. */
export type Stretch = { readonly day: number; readonly shard: number; readonly since: string; readonly until: string };

export type Order = "oldest first" | "newest first";

/** One page of it, in order; `from` is where the page before ended. */
export const logPage = async (
  client: DynamoDBClient,
  table: string,
  { day, shard, since, until }: Stretch,
  from: Item | undefined,
  limit = PAGE,
  order: Order = "oldest first",
): Promise<{ items: Item[]; from: Item | undefined }> => {
  const { Items = [], LastEvaluatedKey } = await client.send(
    new QueryCommand({
      TableName: table,
      IndexName: "log",
      KeyConditionExpression: "gsi1pk = :partition AND gsi1sk BETWEEN :since AND :until",
      ExpressionAttributeValues: { ":partition": { S: `${dayOf(String(day))}#${shard}` }, ":since": { S: since }, ":until": { S: until } },
      ExclusiveStartKey: from,
      Limit: Math.min(limit, PAGE),
      ScanIndexForward: order === "oldest first",
    }),
  );
  return { items: Items, from: LastEvaluatedKey };
};
