import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasAll, readDocument } from "../damaged.ts";

/**
 * JSON documents in memory and on disk, one file each, replaced whole by a rename.
 * What `get` gives is the live document: change it, then `save` its key.
 */
export type Records<T> = {
  get(key: string): T | undefined;
  all(): T[];
  /** Resolves when the document as it is now is on disk. */
  save(key: string, document: T): Promise<void>;
};

const AGAIN = "Restore it from a copy, or delete it: what it was about (a project, a build) is made again by the next deployment";

/** Opens the folder and reads every document in it. Throws `Damaged` for one that has not all these names any more. */
export async function openRecords<T>(folder: string, names: readonly string[]): Promise<Records<T>> {
  const documents = new Map<string, T>();
  const writing = new Map<string, Promise<void>>();
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith(".json")) documents.set(keyOf(name), readDocument(path, hasAll(...names), AGAIN) as T);
    else await rm(path, { force: true }); // half a write of a process that was killed
  }

  const fileOf = (key: string) => join(folder, `${encodeURIComponent(key)}.json`);
  const inTurn = (key: string, write: () => Promise<void>): Promise<void> => {
    const turn = (writing.get(key) ?? Promise.resolve()).catch(() => {}).then(write);
    writing.set(key, turn);
    return turn;
  };

  return {
    get: (key) => documents.get(key),
    all: () => [...documents.values()],
    save(key, document) {
      documents.set(key, document);
      const text = JSON.stringify(document);
      return inTurn(key, () => replaceFile(fileOf(key), text));
    },
  };
}

const keyOf = (name: string) => decodeURIComponent(name.slice(0, -".json".length));

async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = join(dirname(path), `${randomUUID()}.fresh`);
  await writeFile(fresh, text);
  await rename(fresh, path);
}
