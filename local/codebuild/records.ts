import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * JSON documents in memory and on disk, one file each, replaced whole by a rename.
 * What `get` gives is the live document: change it, then `save` its key.
 */
export type Records<T> = {
  get(key: string): T | undefined;
  all(): T[];
  /** Resolves when the document as it is now is on disk. */
  save(key: string, document: T): Promise<void>;
  remove(key: string): Promise<void>;
};

export async function openRecords<T>(folder: string): Promise<Records<T>> {
  const documents = new Map<string, T>();
  const writing = new Map<string, Promise<void>>();
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith(".json")) documents.set(keyOf(name), JSON.parse(await readFile(path, "utf8")));
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
    remove(key) {
      documents.delete(key);
      return inTurn(key, () => rm(fileOf(key), { force: true }));
    },
  };
}

const keyOf = (name: string) => decodeURIComponent(name.slice(0, -".json".length));

async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = join(dirname(path), `${randomUUID()}.fresh`);
  await writeFile(fresh, text);
  await rename(fresh, path);
}
