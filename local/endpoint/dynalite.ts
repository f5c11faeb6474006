import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { ACCOUNT, REGION } from "../http.ts";
import type { Item } from "./change-stream.ts";

/** What this endpoint needs of dynalite, which has no types of its own. */
export type Dynalite = {
  /** Answers one request, already read to its end, on `response`; no socket of dynalite's own is involved. */
  serve(request: ReadRequest, response: Answerable): void;
  /** Called for every write of an item after it is on disk and before it is answered; writes of one item come in order. */
  onWrite(listener: WriteListener): void;
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

type Done = (error: unknown, value?: Item) => void;
type ItemDb = {
  get(key: string, done: Done): void;
  put(key: string, item: Item, done: Done): void;
  del(key: string, done: Done): void;
};
type Store = {
  db: { open(): Promise<void>; close(): Promise<void> };
  tableDb: { awsAccountId: string; awsRegion: string };
  getItemDb(table: string): ItemDb;
};
type Listener = (request: unknown, response: unknown) => void;

const require = createRequire(import.meta.url);

/**
 * Opens dynalite on a directory. It is used inside this process: its request listener is called with requests that were
 * read already (a proxied hop costs half of the throughput), and its store is held to see the writes, because dynalite
 * has no streams. The store is reached by standing in for `db.create` while dynalite calls it.
 */
export async function openDynalite(path: string): Promise<Dynalite> {
  const database = require("dynalite/db") as { create(options: object): Store };
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

  await open(store, path);
  Object.assign(store.tableDb, { awsAccountId: ACCOUNT, awsRegion: REGION });
  const listeners: WriteListener[] = [];
  watchWrites(store, (...write) => {
    for (const listen of listeners) listen(...write);
  });

  const { db } = store;
  return {
    serve: (request, response) => listener(replay(request), response),
    onWrite: (listen) => void listeners.push(listen),
    close: () => db.close(),
  };
}

async function open(store: Store, path: string): Promise<void> {
  try {
    await store.db.open();
  } catch (cause) {
    const locked = (cause as { cause?: { code?: string } }).cause?.code === "LEVEL_LOCKED";
    if (!locked) throw cause;
    throw new Error(`${path} is in use by another local endpoint. Stop that one, or give this one a dataDir of its own.`, { cause });
  }
}

/**
 * dynalite asks for the item database once per operation, reads the item under its lock, then writes it: what an
 * operation read last is the item before its write, and no further read is needed.
 */
function watchWrites(store: Store, written: WriteListener): void {
  const original = store.getItemDb;
  store.getItemDb = (table) => {
    const items = original(table);
    let before: Item | undefined;
    const then = (after: Item | undefined, done: Done): Done => {
      return (error, value) => {
        if (!error) written(table, before, after);
        done(error, value);
      };
    };
    return {
      ...items,
      get: (key, done) =>
        items.get(key, (error, item) => {
          before = item;
          done(error, item);
        }),
      put: (key, item, done) => items.put(key, item, then(item, done)),
      del: (key, done) => items.del(key, then(undefined, done)),
    };
  };
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
