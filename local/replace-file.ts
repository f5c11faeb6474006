import { renameSync, writeFileSync } from "node:fs";

/**
 * Writes beside and renames over: a process that is killed leaves the old file or the new one, never a part. No fsync: it
 * guards against a dead process, not a dead machine. `mode` are the file's permission bits (default 0o644).
 */
export function replaceFile(path: string, text: string, mode = 0o644): void {
  const next = `${path}.next`;
  writeFileSync(next, text, { mode });
  renameSync(next, path);
}
