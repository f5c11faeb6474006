import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasAll, readDocument } from "./damaged.ts";
import { replaceFile } from "./replace-file.ts";

/**
 * Records of one kind, one JSON file each, all held in memory.
 * `put` replaces the file before it changes the memory, both in one turn of the event loop: nobody sees a change that a
 * kill -9 could take back.
 */
export type RecordStore<R> = {
  get(key: string): R | undefined;
  all(): readonly R[];
  put(key: string, record: R): void;
};

const AGAIN = "Restore it from a copy, or delete it: the next start and the next deployment make it again";

/** Opens the folder and reads every record in it. Throws `Damaged` for one that has not all these names any more. */
export const openRecordStore = <R>(folder: string, names: readonly string[]): RecordStore<R> => {
  mkdirSync(folder, { recursive: true });
  const records = new Map<string, R>();
  for (const file of readdirSync(folder)) {
    if (file.endsWith(".json")) records.set(keyOf(file), readDocument(join(folder, file), hasAll(...names), AGAIN) as R);
    else rmSync(join(folder, file), { force: true }); // a write that a kill interrupted
  }
  return {
    get: (key) => records.get(key),
    all: () => [...records.values()],
    put(key, record) {
      replaceFile(join(folder, `${encodeURIComponent(key)}.json`), JSON.stringify(record), 0o600);
      records.set(key, record);
    },
  };
};

const keyOf = (file: string): string => decodeURIComponent(file.slice(0, -".json".length));
