import { createHash, hash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { opendir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";

/** Every file below a folder, dotfiles too, as paths with `/` relative to it. Symlinks are named, not followed. */
export async function* filesBelow(folder: string): AsyncGenerator<string> {
  const directory = await opendir(folder, { recursive: true }).catch(() => undefined);
  if (directory === undefined) return;
  for await (const entry of directory)
    if (!entry.isDirectory()) yield relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/");
}

/** From this size on a file is streamed: below, a stream costs more than its bytes. */
const STREAM_FROM = 1024 ** 2;
/** Below this size a file is read at once, in microseconds: four turns of the event loop cost more. */
const WAIT_FROM = 64 * 1024;

/** A file's bytes and sha256 (hex), and what is in it where that is little; its path where it is much. */
export type Content = { readonly bytes: number; readonly sha256: string; readonly source: Buffer | string };

/** Reads a small file once, a large one for its digest alone. */
export const readContent = async (file: string): Promise<Content> => {
  const { size: bytes } = statSync(file);
  if (bytes >= STREAM_FROM) return { bytes, sha256: await digestOf(file), source: file };
  const source = bytes < WAIT_FROM ? readFileSync(file) : await readFile(file);
  return { bytes: source.length, sha256: hash("sha256", source), source };
};

const digestOf = async (file: string): Promise<string> => {
  const digest = createHash("sha256");
  await pipeline(createReadStream(file), digest);
  return digest.digest("hex");
};
