import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, relative } from "node:path";

/** Every file and folder below a folder with a digest of what it holds, but for one that is left out. */
export async function treeDigest(root: string, leftOut?: string): Promise<Record<string, string>> {
  const seen: Record<string, string> = {};
  const enter = async (folder: string): Promise<void> => {
    for (const name of (await readdir(folder)).sort()) {
      const path = join(folder, name);
      if (path === leftOut) continue;
      const status = await lstat(path);
      const bytes = status.isFile() ? await readFile(path) : status.isSymbolicLink() ? await readlink(path) : "folder";
      seen[relative(root, path)] = `${status.mode.toString(8)} ${createHash("sha256").update(bytes).digest("hex")}`;
      if (status.isDirectory()) await enter(path);
    }
  };
  await enter(root);
  return seen;
}
