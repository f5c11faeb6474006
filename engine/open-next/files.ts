import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { opendir, readFile, stat } from "node:fs/promises";
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

/** Bytes and sha256 (hex) of a file. */
export const measure = async (file: string): Promise<{ bytes: number; sha256: string }> => {
  const { size: bytes } = await stat(file);
  return { bytes, sha256: bytes < STREAM_FROM ? hash("sha256", await readFile(file)) : await digestOf(file) };
};

const digestOf = async (file: string): Promise<string> => {
  const digest = createHash("sha256");
  await pipeline(createReadStream(file), digest);
  return digest.digest("hex");
};
