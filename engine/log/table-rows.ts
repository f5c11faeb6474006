import { type DynamoDBClient, GetItemCommand, QueryCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { type Item, sortKey } from "./codec.ts";

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
  /** The last items of one stream, at most so many, in their order. */
  end: async (stream: string, limit: number): Promise<Item[]> => {
    const items: Item[] = [];
    let from: Item | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: "pk = :stream",
          ExpressionAttributeValues: { ":stream": { S: stream } },
          ScanIndexForward: false,
          Limit: limit - items.length,
          ExclusiveStartKey: from,
        }),
      );
      items.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from !== undefined && items.length < limit);
    return items.reverse();
  },
  /** One item; `undefined` where there is none. */
  at: async (stream: string, version: number): Promise<Item | undefined> => {
    const Key = { pk: { S: stream }, sk: { S: sortKey(version) } };
    return (await client.send(new GetItemCommand({ TableName: table, ConsistentRead: true, Key }))).Item;
  },
  /**
   * The stream that follows a stream, or any other text, in the order of the table: that of a hash, so it is as good as
   * random. `undefined` behind the last one; without `after`, the first one.
   */
  nextStream: async (after: string | undefined): Promise<string | undefined> => {
    // behind every item of that partition
    const ExclusiveStartKey = after === undefined ? undefined : { pk: { S: after }, sk: { S: "~" } };
    const scan = new ScanCommand({ TableName: table, Limit: 1, ProjectionExpression: "pk", ExclusiveStartKey });
    return (await client.send(scan)).Items?.[0]?.pk?.S;
  },
});
