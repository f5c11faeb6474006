import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { opendir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";

/** Every file below a folder, dotfiles too, as paths with `/` relative to it. Symlinks are named, not followed. */
export async function* filesBelow(folder: string): AsyncGenerator<string> {
  const directory = await opendir(folder, { recursive: true }).catch(() => undefined);
  if (directory === undefined) return;
  for await (const entry of directory)
    if (!entry.isDirectory()) yield relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/");
}

/** sha256 of a file, hex. */
export const sha256OfFile = async (file: string): Promise<string> => {
  const digest = createHash("sha256");
  await pipeline(createReadStream(file), digest);
  return digest.digest("hex");
};
