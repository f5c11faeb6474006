import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../exists.ts";
import type { Code } from "./records.ts";
import { unzip } from "./unzip.ts";

/** Every function's code, once per content: `<folder>/<sha256 in hex>/task`. */
export type CodeStore = {
  /** Keeps a zip and gives it to `commit`; until `commit` is through, no sweep removes it. */
  withCode<T>(zip: Buffer, commit: (code: Code) => T): Promise<T>;
  /** The unzipped bundle. */
  taskRoot(code: Code): string;
  /** Removes what none of `used` names. Does nothing while an upload is under way: a later sweep finds it. */
  sweep(used: readonly Code[]): Promise<void>;
};

export const openCodeStore = (folder: string): CodeStore => {
  mkdirSync(folder, { recursive: true });
  const keeping = new Map<string, Promise<void>>();
  let uploads = 0;

  const place = (code: Code) => join(folder, Buffer.from(code.sha256, "base64").toString("hex"));

  /** Unzips beside and renames, so that a folder of that name is always whole. */
  const keep = async (zip: Buffer, code: Code): Promise<void> => {
    if (await exists(place(code))) return;
    const beside = join(folder, `new-${randomUUID()}`);
    try {
      await mkdir(beside);
      await writeFile(join(beside, "code.zip"), zip);
      await unzip(join(beside, "code.zip"), join(beside, "task"));
      await rm(join(beside, "code.zip"));
      await rename(beside, place(code));
    } finally {
      await rm(beside, { recursive: true, force: true });
    }
  };

  /** The same bundle sent twice at once is unzipped once. */
  const keepOnce = (zip: Buffer, code: Code): Promise<void> => {
    const running = keeping.get(code.sha256) ?? keep(zip, code).finally(() => keeping.delete(code.sha256));
    keeping.set(code.sha256, running);
    return running;
  };

  return {
    async withCode(zip, commit) {
      uploads += 1;
      try {
        const code = { sha256: createHash("sha256").update(zip).digest("base64"), size: zip.length };
        await keepOnce(zip, code);
        return commit(code);
      } finally {
        uploads -= 1;
      }
    },
    taskRoot: (code) => join(place(code), "task"),
    async sweep(used) {
      if (uploads > 0) return;
      const names = new Set(used.map((code) => Buffer.from(code.sha256, "base64").toString("hex")));
      const unused = readdirSync(folder).filter((name) => !names.has(name));
      // Renamed in this turn: an upload that begins from here on must not find a folder that is half gone.
      const old = unused.map((name) => {
        const path = join(folder, `old-${randomUUID()}`);
        renameSync(join(folder, name), path);
        return path;
      });
      await Promise.all(old.map((path) => rm(path, { recursive: true, force: true })));
    },
  };
};
