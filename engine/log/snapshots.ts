import { gunzipSync, gzipSync } from "node:zlib";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { conditionalWrite } from "../aws/conditional-write.ts";
import { noRoomFor } from "../aws/errors.ts";
import { sha256 } from "./digest.ts";

/** The state of a stream's fold at one of its commits. */
export type Snapshot = {
  readonly version: number;
  /** of the commit with that version: a snapshot of another past is none of this stream's */
  readonly hash: string;
  /** `textOfState` */
  readonly state: string;
};

/** A commit's id and its version: that its cause was handled. */
export type Handled = readonly [id: string, version: number];

export type Snapshots = ReturnType<typeof snapshotTable>;

/** Sort keys of a stream's rows. */
export const INDEXED = "indexed";
export const HANDLED = "handled/";
export const STATE = "state/";

/** Up to which commit every cause of a stream has its row. */
export type Indexed = { readonly version: number; readonly hash: string };
export const NOTHING_INDEXED: Indexed = { version: 0, hash: "" };

/** Requests that one BatchWriteItem takes. */
export const BATCH = 25;

/**
 * Snapshots beside the log, never in place of it, in a table of their own: all of it may be dropped (`snapshotRows`), and the next
 * load folds its stream whole. Besides states it has which causes a stream has handled: what a snapshot covers is not read again to see that.
 *
 * One partition a stream: `state/<shape>` (the shape of the state's own code, so that engines of two releases do not take each
 * other's), `handled/<commit id>`, and `indexed`: up to which version every cause has its row.
 */
export const snapshotTable = (client: DynamoDBClient, table: string) => {
  const get = async (stream: string, sk: string, consistent: boolean) => {
    const key = { pk: { S: stream }, sk: { S: sk } };
    const { Item } = await client.send(new GetItemCommand({ TableName: table, ConsistentRead: consistent, Key: key }));
    return Item;
  };
  const put = (stream: string, sk: string, item: Record<string, { S: string } | { N: string } | { B: Uint8Array }>) =>
    client.send(new PutItemCommand({ TableName: table, Item: { pk: { S: stream }, sk: { S: sk }, ...item } }));

  return {
    /** The last that was written for this shape; `undefined` where there is none, or not as it was written. */
    newest: async (stream: string, shape: number): Promise<Snapshot | undefined> =>
      snapshotOf(stream, shape, await get(stream, STATE + shape, false)),
    /** Every cause up to its version must be indexed before. */
    write: async (stream: string, shape: number, snapshot: Snapshot): Promise<void> => {
      const { version, hash, state } = snapshot;
      const digest = digestOf(stream, shape, snapshot);
      await put(stream, STATE + shape, {
        version: { N: String(version) },
        hash: { S: hash },
        state: { B: gzipSync(state, { level: 6 }) },
        digest: { S: digest },
      });
    },
    /**
     * The version of the commit with this id, and up to which version every cause has a row, both strongly consistent: where there
     * is no row, no commit up to there has the id.
     */
    handled: async (stream: string, id: string): Promise<{ version: number | undefined; indexed: Indexed }> => {
      const Keys = [HANDLED + id, INDEXED].map((sk) => ({ pk: { S: stream }, sk: { S: sk } }));
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } }),
      );
      if (Object.keys(UnprocessedKeys ?? {}).length > 0) throw noRoomFor(table);
      const found = new Map((Responses?.[table] ?? []).map((item) => [item.sk?.S, item]));
      return { version: versionOf(found.get(HANDLED + id)), indexed: indexedOf(found.get(INDEXED)) };
    },
    /** Up to which commit every cause has its row, strongly consistent: its version, 0 for none, and its hash. */
    indexed: async (stream: string): Promise<Indexed> => indexedOf(await get(stream, INDEXED, true)),
    /**
     * Writes the rows of causes, and then that every cause up to a commit has one.
     *
     * @param was up to which they had one before
     * @returns `false` where that has changed meanwhile: others wrote rows, or somebody dropped them
     */
    index: async (stream: string, handled: readonly Handled[], was: Indexed, upTo: Indexed): Promise<boolean> => {
      const requests = handled.map(
        ([id, version]): WriteRequest => ({
          PutRequest: { Item: { pk: { S: stream }, sk: { S: HANDLED + id }, version: { N: String(version) } } },
        }),
      );
      for (let at = 0; at < requests.length; at += BATCH) await writeAll(client, table, requests.slice(at, at + BATCH));
      const note = new PutItemCommand({
        TableName: table,
        Item: { pk: { S: stream }, sk: { S: INDEXED }, version: { N: String(upTo.version) }, hash: { S: upTo.hash } },
        ...(was.version === 0
          ? { ConditionExpression: "attribute_not_exists(pk)" }
          : {
              ConditionExpression: "#hash = :was",
              ExpressionAttributeNames: { "#hash": "hash" },
              ExpressionAttributeValues: { ":was": { S: was.hash } },
            }),
      });
      return conditionalWrite(client.send(note));
    },
  };
};

const Text = z.object({ S: z.string() });
const Count = z.object({ N: z.string().regex(/^\d{1,10}$/) });
const Stored = z.object({ version: Count, hash: Text, state: z.object({ B: z.instanceof(Uint8Array) }), digest: Text });

/** The snapshot that an item is; `undefined` where it is none, or not as it was written. */
export const snapshotOf = (stream: string, shape: number, item: unknown): Snapshot | undefined => {
  const found = Stored.safeParse(item);
  if (!found.success) return undefined;
  const { version, hash, state: packed, digest } = found.data;
  const state = unpacked(packed.B);
  if (state === undefined) return undefined;
  const snapshot = { version: Number(version.N), hash: hash.S, state };
  return digestOf(stream, shape, snapshot) === digest.S ? snapshot : undefined;
};

/** The version that an item names, if it does. */
export const versionOf = (item: unknown): number | undefined => {
  const found = z.object({ version: Count }).safeParse(item);
  return found.success ? Number(found.data.version.N) : undefined;
};

/** Up to which commit a note says that every cause has its row. */
export const indexedOf = (item: unknown): Indexed => {
  const found = z.object({ version: Count, hash: Text }).safeParse(item);
  return found.success ? { version: Number(found.data.version.N), hash: found.data.hash.S } : NOTHING_INDEXED;
};

const digestOf = (stream: string, shape: number, { version, hash, state }: Snapshot): string =>
  sha256(JSON.stringify([stream, shape, version, hash, state]));

const unpacked = (packed: Uint8Array): string | undefined => {
  try {
    return gunzipSync(packed).toString();
  } catch {
    // cut or overwritten: as good as none
    return undefined;
  }
};

/** What was throttled is tried again; what is left then is no snapshot's ground, and throws. */
const writeAll = async (client: DynamoDBClient, table: string, requests: readonly WriteRequest[]): Promise<void> => {
  let left: WriteRequest[] = [...requests];
  for (let tries = 1; left.length > 0; tries++) {
    if (tries > 3) throw noRoomFor(table);
    const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: left } }));
    left = UnprocessedItems?.[table] ?? [];
  }
};
