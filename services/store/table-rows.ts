import { type DynamoDBClient, QueryCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { Item } from "./codec.ts";

export type TableRows = ReturnType<typeof tableRows>;

/** The event table as it is, item by item, strongly consistent: nothing is taken for a commit yet. */
export const tableRows = (client: DynamoDBClient, table: string) => ({
  /** One of several parts of the whole table, page by page. A stream is in one part, in its order. */
  scan: async function* (part: number, parts: number): AsyncGenerator<readonly Item[]> {
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new ScanCommand({ TableName: table, ConsistentRead: true, Segment: part, TotalSegments: parts, ExclusiveStartKey: from }),
      );
      yield Items;
      from = LastEvaluatedKey;
    } while (from !== undefined);
  },
  /** The items of one stream in their order, a page in memory at a time. */
  stream: async function* (stream: string): AsyncGenerator<Item> {
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: "pk = :stream",
          ExpressionAttributeValues: { ":stream": { S: stream } },
          ExclusiveStartKey: from,
        }),
      );
      yield* Items;
      from = LastEvaluatedKey;
    } while (from !== undefined);
  },
});
