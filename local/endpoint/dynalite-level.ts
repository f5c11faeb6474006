import { existsSync, readdirSync } from "node:fs";
import { Readable } from "node:stream";
import { Damaged } from "../damaged.ts";
import type { Item } from "./change-stream.ts";

import { asAwsError, isDiskFull } from "./fault.ts";

export type Done = (error: unknown, value?: Item) => void;
/** As `Operation`, with values that are bytes already. */
type Encoded = { type: "put"; key: string; value: Buffer; valueEncoding: "buffer" } | { type: "del"; key: string };
export type Operation = { type: "put"; key: string; value: Item } | { type: "del"; key: string };
type LevelIterator<T> = { nextv(most: number): Promise<T[]>; close(): Promise<void> };
/** What dynalite puts over LevelDB, and this endpoint uses of it. */
export type Level = {
  open(options: { writeBufferSize: number }): Promise<void>;
  close(): Promise<void>;
  get(key: string, done: Done): void;
  getSync(key: string): Item | undefined;
  batch(operations: readonly (Operation | Encoded)[], done: Done): void;
  keys(options: object): LevelIterator<string>;
  values(options: object): LevelIterator<Item>;
  iterator(options: object): LevelIterator<[string, Item]>;
  createKeyStream(options?: object): Readable;
  createValueStream(options?: object): Readable;
};

/** Bytes that LevelDB takes before it sorts them into files: with its usual 4 MB that sorting is most of the work of a rebuild. */
const WRITE_BUFFER = 32 * 1024 * 1024;

const NEXT = "Restore it from a copy, or move it away: the log begins anew then";

/**
 * Where its file CURRENT is gone, LevelDB would begin an empty database, and delete the files of the one that was there.
 * To be called before anything opens it.
 * @throws Damaged
 */
export function refuseWithoutCurrent(path: string): void {
  const files = existsSync(path) ? readdirSync(path) : [];
  if (!files.includes("CURRENT") && files.some((name) => /\.(ldb|log)$/.test(name)))
    throw new Damaged(path, "its file CURRENT is gone", NEXT);
}

/** Opens the LevelDB below dynalite, and mends how dynalite reads and writes it. */
export async function openLevel(db: Level, path: string): Promise<void> {
  await open(db, path);
  nameDamage(db, path);
  readAtOnce(db);
  endReads(db);
  writeTogether(db);
}

async function open(db: Level, path: string): Promise<void> {
  try {
    await db.open({ writeBufferSize: WRITE_BUFFER });
  } catch (cause) {
    const { code, message } = (cause as { cause?: { code?: string; message?: string } }).cause ?? {};
    if (isDiskFull(cause)) throw cause;
    if (code !== "LEVEL_LOCKED")
      throw new Damaged(path, `its database cannot be opened (${message ?? (cause as Error).message})`, NEXT, { cause });
    throw new Error(`${path} is in use by another local endpoint. Stop that one, or give this one a dataDir of its own.`, { cause });
  }
}

/** Damage inside one of its files shows when that part is read. */
function nameDamage(db: Level, path: string): void {
  const fail = (error: unknown): never => {
    const { code, message } = error as Error & { code?: string };
    if (code !== "LEVEL_CORRUPTION") throw error;
    throw new Damaged(path, `a part of its database is damaged (${message})`, NEXT, { cause: error });
  };
  const getSync = db.getSync.bind(db);
  db.getSync = (key) => {
    try {
      return getSync(key);
    } catch (error) {
      return fail(error);
    }
  };
  const naming = <T>(found: LevelIterator<T>): LevelIterator<T> => ({
    nextv: (most) => found.nextv(most).catch(fail),
    close: () => found.close(),
  });
  const { keys, values, iterator } = db;
  db.keys = (options) => naming(keys.call(db, options));
  db.values = (options) => naming(values.call(db, options));
  db.iterator = (options) => naming(iterator.call(db, options));
}

/** A read takes microseconds in this thread, and ten times that through another one, which is dynalite's way. */
function readAtOnce(db: Level): void {
  db.get = (key, done) => {
    try {
      setImmediate(done, null, db.getSync(key));
    } catch (error) {
      setImmediate(done, answerable(error));
    }
  };
}

/**
 * dynalite never ends what it reads a query or a scan with, and LevelDB keeps every file that such a reader may still want:
 * memory and disk would grow with each request.
 */
function endReads(db: Level): void {
  db.createKeyStream = (options = {}) => reading(db.keys(options));
  db.createValueStream = (options = {}) => reading(db.values(options));
}

/**
 * The keys that begin so, without their beginning. dynalite's own way reads every key of the database for them, and where a
 * part of it is damaged, ends the process.
 */
export const keysBelow = (db: Level, prefix: string): Readable =>
  reading(db.keys({ gte: prefix, lt: `${prefix}\uffff` }), (key) => key.slice(prefix.length));

const READ_AT_ONCE = 100;

const reading = <T>(iterator: LevelIterator<T>, as: (found: T) => unknown = (found) => found): Readable =>
  new Readable({
    objectMode: true,
    read() {
      iterator.nextv(READ_AT_ONCE).then(
        (found) => {
          for (const one of found) this.push(as(one));
          if (found.length === 0) this.push(null);
        },
        (error: Error) => this.destroy(answerable(error) as Error),
      );
    },
    destroy(error, done) {
      iterator.close().then(() => done(error), done);
    },
  });

/** dynalite answers an error that has a status, and lets any other one end the process. */
function answerable(error: unknown): unknown {
  const { status, code, message } = asAwsError(error);
  return Object.assign(new Error(message, { cause: error }), { statusCode: status, body: { __type: code, message } });
}

/**
 * Writes of one turn of the event loop go to disk as one: those of a BatchWriteItem, and of requests that came together.
 * After a write that failed (on a full disk, say) LevelDB's log may end in a torn record, and what follows that one is lost
 * when it is opened again: so nothing is written any more until then.
 */
function writeTogether(db: Level): void {
  const batch = db.batch.bind(db);
  let failed: unknown;
  let waiting: { operations: readonly Operation[]; done: Done }[] = [];
  const flush = (): void => {
    const together = waiting;
    waiting = [];
    batch(
      together.flatMap(({ operations }) => encoded(operations)),
      (error) => {
        if (error) failed = answerable(error);
        for (const { done } of together) setImmediate(done, failed);
      },
    );
  };
  db.batch = (operations: readonly Operation[], done) => {
    if (failed !== undefined) return void setImmediate(done, failed);
    if (waiting.push({ operations, done }) === 1) setImmediate(flush);
  };
}

/** An item and its entries in indexes are mostly one object: it is made bytes once. */
function encoded(operations: readonly Operation[]): Encoded[] {
  const bytes = new Map<Item, Buffer>();
  const bytesOf = (item: Item): Buffer => {
    const made = bytes.get(item) ?? Buffer.from(JSON.stringify(item));
    bytes.set(item, made);
    return made;
  };
  return operations.map((one) => (one.type === "del" ? one : { ...one, value: bytesOf(one.value), valueEncoding: "buffer" }));
}
