import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** A small document that is kept whole in memory and written whole: `save` has replaced the file when it returns. */
export type JsonFile<T> = { readonly value: T; save(): void };

/**
 * Opens a JSON document, `initial` where there is none yet.
 * Written beside and renamed over, so a process that is killed leaves the old document or the new one, never a part.
 * `mode` are the file's permission bits (default 0o644).
 */
export function openJsonFile<T>(path: string, initial: T, mode = 0o644): JsonFile<T> {
  mkdirSync(dirname(path), { recursive: true });
  const value = read(path) ?? initial;
  return {
    value: value as T,
    save() {
      const next = `${path}.next`;
      writeFileSync(next, JSON.stringify(value, undefined, 1), { mode });
      renameSync(next, path);
    },
  };
}

function read(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is not JSON any more. Repair it, or remove it to start without what it held.`, { cause });
  }
}
