import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { hasAll, readDocument } from "../damaged.ts";
import { replaceFile } from "../replace-file.ts";

/** A small document that is kept whole in memory and written whole: `save` has replaced the file when it returns. */
export type JsonFile<T> = { readonly value: T; save(): void };

/**
 * Opens a JSON document, `initial` where there is none yet. Throws `Damaged` where it is none any more.
 * `mode` are the file's permission bits (default 0o644).
 */
export function openJsonFile<T>(
  path: string,
  initial: T,
  mode = 0o644,
  mend = "Restore it from a copy, or delete it to start without what it held",
): JsonFile<T> {
  mkdirSync(dirname(path), { recursive: true });
  const value = readDocument(path, like(initial), mend) ?? initial;
  return {
    value: value as T,
    save() {
      replaceFile(path, JSON.stringify(value, undefined, 1), mode);
    },
  };
}

/** Of the same kind as the document that there is at first, with its names. */
const like = (initial: unknown): ((value: unknown) => boolean) =>
  Array.isArray(initial) ? Array.isArray : hasAll(...Object.keys(initial as object));
