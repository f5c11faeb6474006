import { type AttributeValue, BatchWriteItemCommand, type DynamoDBClient, paginateScan, type WriteRequest } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../kit/clock.ts";
import { unlessMissing } from "./errors.ts";

const BATCH = 25;
const TRIES = 8;

/** The tag table that a site's server reads: OpenNext's own initialisation reports success even where the write failed. */
export const tagTables = (client: DynamoDBClient, clock: Clock) => {
  const write = async (table: string, requests: readonly WriteRequest[]): Promise<void> => {
    for (let from = 0; from < requests.length; from += BATCH) {
      let left: WriteRequest[] = requests.slice(from, from + BATCH);
      for (let tries = 1; left.length > 0; tries++) {
        if (tries > TRIES)
          throw new Error(`${left.length} tags could not be written to ${table}: it is throttled; the message comes again`);
        if (tries > 1) await clock.sleep(25 * 2 ** tries * (1 + clock.random()));
        const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: left } }));
        left = UnprocessedItems?.[table] ?? [];
      }
    }
  };

  return {
    /** Writes every seed; throws naming the table and how many are missing after eight tries. */
    seed: (table: string, seeds: readonly { tag: string; path: string; revalidatedAt: string }[]): Promise<void> =>
      write(
        table,
        seeds.map(({ tag, path, revalidatedAt }) => ({
          PutRequest: { Item: { tag: { S: tag }, path: { S: path }, revalidatedAt: { N: revalidatedAt } } },
        })),
      ),

    /**
     * Removes every row of these releases, and answers how many these were. The whole table is read, which has rows of what is kept
     * and of what goes, and of nothing else. A table that is gone has none.
     *
     * @param releases ids, with which the rows' keys begin
     */
    removeOf: async (table: string, releases: ReadonlySet<string>): Promise<number> => {
      let removed = 0;
      const names = { ProjectionExpression: "#tag, #path", ExpressionAttributeNames: { "#tag": "tag", "#path": "path" } };
      const removeAll = async (): Promise<void> => {
        for await (const { Items = [] } of paginateScan({ client }, { TableName: table, ...names })) {
          const gone = Items.filter(({ path }) => releases.has(path?.S?.split("/")[0] ?? ""));
          await write(
            table,
            gone.map(({ tag, path }) => ({ DeleteRequest: { Key: { tag, path } as Record<string, AttributeValue> } })),
          );
          removed += gone.length;
        }
      };
      await unlessMissing(removeAll());
      return removed;
    },
  };
};
export type Tags = ReturnType<typeof tagTables>;
