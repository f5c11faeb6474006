import type { Item } from "./change-stream.ts";
import type { Level, Operation } from "./dynalite-level.ts";

/** The attribute of a table that says when an item expires, in seconds since 1970, and the attributes of its key. */
export type TimeToLive = { readonly attribute: string; readonly keys: readonly string[] };
export type Expired = { readonly entry: string; readonly key: Item };

export type Expiry = {
  /** The entry of an item that expires, to be written with it; none where it has no such time. */
  entryOf(table: string, item: Item, itemKey: string): Operation[];
  /** A table has a time to live from now on: what is in it gets its entries. */
  enter(table: string): Promise<void>;
  /** What was due before then (in seconds since 1970), in the order of time. */
  before(table: string, seconds: number): AsyncIterable<Expired>;
  /** Removes an entry: its item is gone, or was written again with another time. */
  forget(expired: Expired): Promise<void>;
};

const AT_ONCE = 100;
const itemsOf = (table: string): string => `item-${table}~`;
const place = (table: string, seconds: number): string => `expiry-${table}~${String(Math.max(0, Math.floor(seconds))).padStart(15, "0")}~`;

/** Entries in the order of their time, beside the items in the one LevelDB: what has expired is found without a look at the rest. */
export function openExpiry(db: Level, timeToLive: (table: string) => TimeToLive | undefined): Expiry {
  const entryOf = (table: string, item: Item, itemKey: string): Operation[] => {
    const { attribute, keys } = timeToLive(table) ?? { attribute: "", keys: [] };
    const seconds = Number(item[attribute]?.N);
    if (!Number.isFinite(seconds)) return [];
    const value = Object.fromEntries(Object.entries(item).filter(([name]) => keys.includes(name)));
    return [{ type: "put", key: `${place(table, seconds)}${itemKey}`, value }];
  };
  const write = (operations: readonly Operation[]): Promise<void> =>
    new Promise((resolve, reject) => db.batch(operations, (error) => (error ? reject(error as Error) : resolve())));

  return {
    entryOf,
    async enter(table) {
      for await (const items of pages(db, { gte: itemsOf(table), lt: `${itemsOf(table)}~` }))
        await write(items.flatMap(([key, item]) => entryOf(table, item, key)));
    },
    async *before(table, seconds) {
      for await (const entries of pages(db, { gte: place(table, 0), lt: place(table, seconds) }))
        for (const [entry, key] of entries) yield { entry, key };
    },
    forget: ({ entry }) => write([{ type: "del", key: entry }]),
  };
}

async function* pages(db: Level, range: object): AsyncGenerator<[string, Item][]> {
  const found = db.iterator(range);
  try {
    for (let page = await found.nextv(AT_ONCE); page.length > 0; page = await found.nextv(AT_ONCE)) yield page;
  } finally {
    await found.close();
  }
}
