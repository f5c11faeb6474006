import { BatchWriteItemCommand, DeleteItemCommand, type DynamoDBClient, GetItemCommand, type WriteRequest } from "@aws-sdk/client-dynamodb";
import { conditionalWrite } from "../aws/conditional-write.ts";
import type { Item } from "./codec.ts";
import { BATCH, HANDLED, INDEXED, type Indexed, indexedOf, STATE, versionOf } from "./snapshots.ts";
import { tableRows } from "./table-rows.ts";

/** One stream's rows in the table of snapshots. Nothing is taken for a snapshot yet. */
export type StreamRows = {
  /** up to which commit every cause has its row */
  readonly indexed: Indexed;
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
  const items = tableRows(client, table);

  const noteOf = async (stream: string): Promise<Item | undefined> =>
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
      for await (const page of items.scan(0, 1)) for (const { pk } of page) names.add(pk?.S ?? "");
      return [...names].sort();
    },
    /** `indexed` is read before the rows: an engine writes them in the other order. */
    of: async (stream: string): Promise<StreamRows> => {
      const note = await noteOf(stream);
      const found: Item[] = [];
      for await (const item of items.stream(stream)) found.push(item);
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
      const keys: Item[] = [];
      for await (const { pk, sk } of items.stream(stream)) if (pk && sk && sk.S !== INDEXED) keys.push({ pk, sk });
      let removed = 0;
      for (; removed < keys.length; removed += BATCH) {
        if ((await noteOf(stream))?.closedBy?.S !== by) return removed;
        const requests = keys.slice(removed, removed + BATCH).map((Key) => ({ DeleteRequest: { Key } }));
        await send(requests, pause);
      }
      return keys.length;
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
  const indexed = indexedOf(note);
  return { indexed, closed: note !== undefined && indexed.version === 0, handled, states, strange };
};
