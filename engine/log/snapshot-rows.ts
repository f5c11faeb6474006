import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  ScanCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { conditionalWrite } from "../aws/conditional-write.ts";
import type { Item } from "./codec.ts";
import { BATCH, HANDLED, INDEXED, STATE, versionOf } from "./snapshots.ts";

/** One stream's rows in the table of snapshots. Nothing is taken for a snapshot yet. */
export type StreamRows = {
  /** up to which version every cause has its row; 0 for none */
  readonly indexed: number;
  /** nobody can index it: a drop is under way, or was cut off */
  readonly closed: boolean;
  /** by commit id; `undefined` where a row names no version */
  readonly handled: ReadonlyMap<string, number | undefined>;
  /** by the number of their shape, as text */
  readonly states: ReadonlyMap<string, Item>;
  /** sort keys that no engine writes */
  readonly strange: readonly string[];
};

export type SnapshotRows = ReturnType<typeof snapshotRows>;
type Pause = (tries: number) => Promise<void>;

/** Nothing is asked more often: the last answer is a minute and more after the first. */
const MAX_TRIES = 20;

/**
 * The table of snapshots as it is, strongly consistent, and what it takes to drop it under engines that go on: a stream is closed,
 * loses its rows, and is opened. Closed, it has an `indexed` of version 0: whoever reads it knows of no row, and nobody can write
 * another over it, whichever it was when he began.
 */
export const snapshotRows = (client: DynamoDBClient, table: string) => {
  const items = async function* (stream: string, names?: string): AsyncGenerator<Item[]> {
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: "pk = :stream",
          ExpressionAttributeValues: { ":stream": { S: stream } },
          ProjectionExpression: names,
          ExclusiveStartKey: from,
        }),
      );
      yield Items;
      from = LastEvaluatedKey;
    } while (from !== undefined);
  };

  const indexedOf = async (stream: string): Promise<Item | undefined> =>
    (await client.send(new GetItemCommand({ TableName: table, ConsistentRead: true, Key: keyOf(stream, INDEXED) }))).Item;

  const send = async (requests: readonly WriteRequest[], pause: Pause): Promise<void> => {
    let left: WriteRequest[] = [...requests];
    for (let tries = 1; left.length > 0; tries++) {
      if (tries > MAX_TRIES)
        throw new Error(`DynamoDB had no room for changes of ${table} in ${MAX_TRIES} tries (${left.length} are left); run it again later`);
      if (tries > 1) await pause(tries);
      const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: left } }));
      left = UnprocessedItems?.[table] ?? [];
    }
  };

  return {
    /** The names of all streams that have rows. */
    streams: async (): Promise<string[]> => {
      const names = new Set<string>();
      let from: Item | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new ScanCommand({ TableName: table, ConsistentRead: true, ProjectionExpression: "pk", ExclusiveStartKey: from }),
        );
        for (const { pk } of Items) names.add(pk?.S ?? "");
        from = LastEvaluatedKey;
      } while (from !== undefined);
      return [...names].sort();
    },
    /** `indexed` is read before the rows: an engine writes them in the other order. */
    of: async (stream: string): Promise<StreamRows> => {
      const note = await indexedOf(stream);
      const found: Item[] = [];
      for await (const page of items(stream)) found.push(...page);
      return rowsIn(note, found);
    },
    /** @param streams at most 25 @param by one name for this run: a later run that closes a stream has it */
    close: (streams: readonly string[], by: string, pause: Pause): Promise<void> =>
      send(
        streams.map((stream) => ({ PutRequest: { Item: { ...keyOf(stream, INDEXED), version: { N: "0" }, closedBy: { S: by } } } })),
        pause,
      ),
    /**
     * Removes what a stream has, but that it is closed: only as long as this run is who closed it.
     *
     * @returns how many rows
     */
    remove: async (stream: string, by: string, pause: Pause): Promise<number> => {
      let removed = 0;
      for await (const page of items(stream, "pk, sk")) {
        const keys = page.flatMap(({ pk, sk }) => (sk?.S === INDEXED || !pk || !sk ? [] : [{ pk, sk }]));
        for (let at = 0; at < keys.length; at += BATCH) {
          if ((await indexedOf(stream))?.closedBy?.S !== by) return removed;
          const batch = keys.slice(at, at + BATCH);
          await send(
            batch.map((Key) => ({ DeleteRequest: { Key } })),
            pause,
          );
          removed += batch.length;
        }
      }
      return removed;
    },
    /** @returns `false` where another run has closed it since */
    open: (stream: string, by: string): Promise<boolean> =>
      conditionalWrite(
        client.send(
          new DeleteItemCommand({
            TableName: table,
            Key: keyOf(stream, INDEXED),
            ConditionExpression: "closedBy = :by",
            ExpressionAttributeValues: { ":by": { S: by } },
          }),
        ),
      ),
  };
};

const keyOf = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk } });

const rowsIn = (note: Item | undefined, items: readonly Item[]): StreamRows => {
  const handled = new Map<string, number | undefined>();
  const states = new Map<string, Item>();
  const strange: string[] = [];
  for (const item of items) {
    const sk = item.sk?.S ?? "";
    if (sk.startsWith(HANDLED)) handled.set(sk.slice(HANDLED.length), versionOf(item));
    else if (sk.startsWith(STATE)) states.set(sk.slice(STATE.length), item);
    else if (sk !== INDEXED) strange.push(sk);
  }
  const indexed = versionOf(note) ?? 0;
  return { indexed, closed: note !== undefined && indexed === 0, handled, states, strange };
};
