import {
  type CloudFrontKeyValueStoreClient,
  DescribeKeyValueStoreCommand,
  GetKeyCommand,
  paginateListKeys,
  UpdateKeysCommand,
} from "@aws-sdk/client-cloudfront-keyvaluestore";
import { MAX_CHANGES } from "../../blueprint/edge-table.ts";
import { isDenied, unlessMissing } from "./errors.ts";

/** What one request changes in the table: done whole or not at all. */
export type TableChanges = { readonly puts: Readonly<Record<string, string>>; readonly deletes?: readonly string[] };

/** Keys that one request lists. */
const PAGE = 50;

export type EdgeTable = ReturnType<typeof edgeTable>;

/**
 * The table that edges look up, a CloudFront KeyValueStore; `store` is its ARN. Edges see a change within seconds, and each at
 * its own time. A store that is not there is `missing` (`problemOf`).
 */
export const edgeTable = (client: CloudFrontKeyValueStoreClient) => {
  const named = (store: string, { ETag }: { ETag: string | undefined }): string => {
    if (ETag === undefined) throw new Error(`CloudFront named no version of ${store}: without one nothing can be written to it.`);
    return ETag;
  };
  const version = async (store: string): Promise<string> =>
    named(store, await client.send(new DescribeKeyValueStoreCommand({ KvsARN: store })));

  return {
    /** Its version, which every change makes another. */
    version,

    /** A value as the store has it, which an edge may not have yet; `undefined` where there is no such key. */
    get: async (store: string, key: string): Promise<string | undefined> => {
      const found = await unlessMissing(client.send(new GetKeyCommand({ KvsARN: store, Key: key })));
      // a key and a store that are missing have one error: a store without the key still has a version
      if (found === undefined) await version(store);
      return found?.Value;
    },

    /** Every key with its value, a request for each fifty; `undefined` where who asks may not list them: the engine itself may not. */
    list: async (store: string): Promise<Map<string, string> | undefined> => {
      const rows = new Map<string, string>();
      try {
        for await (const { Items = [] } of paginateListKeys({ client, pageSize: PAGE }, { KvsARN: store }))
          for (const { Key = "", Value = "" } of Items) rows.set(Key, Value);
        return rows;
      } catch (error) {
        if (isDenied(error)) return undefined;
        throw error;
      }
    },

    /**
     * Makes all the changes, if nobody changed the store since `version`; else none, and the error is `changed`. That is also
     * what is heard where the answer to a change that was made was lost and it was sent again: look at the rows.
     *
     * @param changes at most 50 keys, no key twice; a deletion of what is not there may be refused (`missing`)
     * @returns the store's version with them
     */
    update: async (store: string, version: string, { puts, deletes = [] }: TableChanges): Promise<string> => {
      const Puts = Object.entries(puts).map(([Key, Value]) => ({ Key, Value }));
      const count = Puts.length + deletes.length;
      if (count > MAX_CHANGES) throw new Error(`${count} changes of the edge's table at once: a request takes at most ${MAX_CHANGES}.`);
      const Deletes = deletes.map((Key) => ({ Key }));
      return named(store, await client.send(new UpdateKeysCommand({ KvsARN: store, IfMatch: version, Puts, Deletes })));
    },
  };
};
