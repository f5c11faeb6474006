import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { crc32 } from "node:zlib";
import { ACCOUNT, REGION } from "../http.ts";
import type { Item } from "./change-stream.ts";
import { type Done, keysBelow, type Level, type Operation, openLevel, refuseWithoutCurrent } from "./dynalite-level.ts";
import { type Expiry, openExpiry, type TimeToLive } from "./expiry.ts";

/** What this endpoint needs of dynalite, which has no types of its own. */
export type Dynalite = {
  /** Answers one request, already read to its end, on `response`; no socket of dynalite's own is involved. */
  serve(request: ReadRequest, response: Answerable): void;
  /** Called for every write of an item after it is on disk and before it is answered; writes of one item come in order. */
  onWrite(listener: WriteListener): void;
  readonly expiry: Expiry;
  close(): Promise<void>;
};

export type ReadRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders | Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
};
export type Answerable = Pick<ServerResponse, "setHeader" | "end" | "statusCode">;
export type WriteListener = (table: string, before: Item | undefined, after: Item | undefined) => void;

type ItemDb = {
  get(key: string, done: Done): void;
  put(key: string, item: Item, done: Done): void;
  del(key: string, done: Done): void;
};
type Store = {
  db: Level;
  tableDb: { awsAccountId: string; awsRegion: string };
  getItemDb(table: string): ItemDb;
};
type Listener = (request: unknown, response: unknown) => void;
type Table = { TableName: string; LocalSecondaryIndexes?: object[]; GlobalSecondaryIndexes?: object[] };
type Database = {
  create(options: object): Store;
  createKey(item: Item, table: Table): string;
  updateIndexes(store: Store, table: Table, before: Item | undefined, after: Item | undefined, done: Done): void;
  getIndexActions(
    indexes: readonly object[],
    before: Item | undefined,
    after: Item | undefined,
    table: Table,
  ): { puts: { index: string; key: string; item: Item }[]; deletes: { index: string; key: string }[] };
};

/** How the keys begin under which dynalite keeps what it knows of tables. */
const TABLES = "table~";

const require = createRequire(import.meta.url);
const database = require("dynalite/db") as Database;
// dynalite's own way of making the digest of each answer takes a tenth of all its time
Object.assign(createRequire(require.resolve("dynalite"))("buffer-crc32"), { unsigned: crc32 });

/**
 * Opens dynalite on a directory. It is used inside this process: its request listener is called with requests that were
 * read already (a proxied hop costs half of the throughput), and its store is held to see the writes, because dynalite
 * has no streams. The store is reached by standing in for `db.create` while dynalite calls it.
 */
export async function openDynalite(path: string, timeToLive: (table: string) => TimeToLive | undefined): Promise<Dynalite> {
  refuseWithoutCurrent(path);
  const dynalite = require("dynalite") as (options: object) => { listeners(event: "request"): Listener[] };
  let store: Store | undefined;
  const { create } = database;
  database.create = (options) => {
    store = create(options);
    return store;
  };
  const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  database.create = create;
  const listener = server.listeners("request")[0];
  if (!store || !listener) throw new Error("dynalite no longer makes its store or listener where local/endpoint/dynalite.ts expects them.");

  await openLevel(store.db, path);
  const { db } = store;
  Object.assign(store.tableDb, { awsAccountId: ACCOUNT, awsRegion: REGION, createKeyStream: () => keysBelow(db, TABLES) });
  waiting.set(store, new Map());
  const listeners: WriteListener[] = [];
  const expiry = openExpiry(store.db, timeToLive);
  watchWrites(store, expiry, (...write) => {
    for (const listen of listeners) listen(...write);
  });

  return {
    serve: (request, response) => listener(replay(request), response),
    onWrite: (listen) => void listeners.push(listen),
    expiry,
    close: () => db.close(),
  };
}

/**
 * dynalite asks for the item database once per operation, reads the item under its lock, then writes it: what an
 * operation read last is the item before its write, and no further read is needed.
 */
function watchWrites(store: Store, expiry: Expiry, written: WriteListener): void {
  const original = store.getItemDb;
  store.getItemDb = (table) => {
    const items = original(table);
    let before: Item | undefined;
    const write = (operation: Operation, after: Item | undefined, done: Done): void =>
      store.db.batch(
        [...takeIndexes(store, operation.key), ...(after ? expiry.entryOf(table, after, operation.key) : []), operation],
        (error, value) => {
          if (!error) written(table, before, after);
          done(error, value);
        },
      );
    return {
      ...items,
      get: (key, done) =>
        items.get(key, (error, item) => {
          before = item;
          done(error, item);
        }),
      put: (key, value, done) => write({ type: "put", key: itemKey(table, key), value }, value, done),
      del: (key, done) => write({ type: "del", key: itemKey(table, key) }, undefined, done),
    };
  };
}

/** Where dynalite keeps things in its one LevelDB. */
const itemKey = (table: string, key: string): string => `item-${table}~${key}`;
const indexKey = (kind: string, table: string, index: string, key: string): string =>
  `index-${kind.toLowerCase()}~${table}~${index}~${key}`;

/**
 * dynalite writes the indexes of an item first and the item itself a moment later; a process that is killed in between
 * would leave rows in an index of an item that never was. So the indexes wait, and are written with the item as one batch.
 */
const waiting = new WeakMap<Store, Map<string, readonly Operation[]>>();

const { updateIndexes } = database;
database.updateIndexes = (store, table, before, after, done) => {
  const ofStore = waiting.get(store);
  // a dynalite that somebody else has opened in this process
  if (ofStore === undefined) return updateIndexes(store, table, before, after, done);
  const item = after ?? before;
  if (!item) return done(null);
  const operations = (["Local", "Global"] as const).flatMap((kind): Operation[] => {
    const { puts, deletes } = database.getIndexActions(table[`${kind}SecondaryIndexes`] ?? [], before, after, table);
    const place = ({ index, key }: { index: string; key: string }) => indexKey(kind, table.TableName, index, key);
    return [
      ...deletes.map((one): Operation => ({ type: "del", key: place(one) })),
      ...puts.map((one): Operation => ({ type: "put", key: place(one), value: one.item })),
    ];
  });
  ofStore.set(itemKey(table.TableName, database.createKey(item, table)), operations);
  done(null);
};

/** The changes of indexes that belong to the write of an item, which dynalite has locked. */
function takeIndexes(store: Store, key: string): readonly Operation[] {
  const operations = waiting.get(store)?.get(key) ?? [];
  waiting.get(store)?.delete(key);
  return operations;
}

/** A request stream that hands over its whole body as soon as it is listened to. */
const replay = ({ method, url, headers, body }: ReadRequest): unknown => ({
  method,
  url,
  headers,
  on(event: string, listener: (chunk?: Buffer) => void) {
    if (event === "data" && body.length > 0) listener(body);
    if (event === "end") listener();
  },
  removeAllListeners() {},
});
