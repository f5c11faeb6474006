import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasAll, readDocument } from "../damaged.ts";

/**
 * Records of one kind, one JSON file each, all held in memory.
 * `put` replaces the file (write beside, then rename) before it changes the memory, both in one turn of the event loop:
 * nobody sees a change that a kill -9 could take back. No fsync: it guards against a dead process, not a dead machine.
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
    if (file.endsWith(".json")) records.set(file.slice(0, -".json".length), readDocument(join(folder, file), hasAll(...names), AGAIN) as R);
    else rmSync(join(folder, file), { force: true }); // a write that a kill interrupted
  }
  return {
    get: (key) => records.get(key),
    all: () => [...records.values()],
    put(key, record) {
      const file = join(folder, `${key}.json`);
      writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
      renameSync(`${file}.new`, file);
      records.set(key, record);
    },
  };
};
