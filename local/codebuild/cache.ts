import { randomUUID } from "node:crypto";
import { cp, mkdir, readdir, realpath, rename, rm } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { exists } from "../exists.ts";
import { fixedPart } from "./artifacts.ts";

/**
 * Keeps the folders of `cache.paths` between builds whose caches have one location by renaming them, which costs nothing where builds
 * work on the same disk, and copies them where they do not.
 * A build that starts takes the whole cache away, so of two concurrent builds one has it and the other begins
 * without; only a build that succeeded puts one back, so a cut build never leaves half a cache.
 */
export type Cache = {
  /** Moves cached folders into the fresh source; where the source has a folder of that name it stays as it is. */
  restore(src: string): Promise<string[]>;
  save(src: string): Promise<string[]>;
};

export function openCache(folder: string, paths: readonly string[]): Cache {
  const current = join(folder, CURRENT);
  const folders = cachedFolders(paths);

  return {
    async restore(src) {
      const taken = join(folder, randomUUID());
      await mkdir(folder, { recursive: true });
      if (!(await rename(current, taken).then(yes, no))) return [];
      const restored: string[] = [];
      for (const [index, path] of folders.entries()) {
        const to = join(src, path);
        if (await exists(to)) continue;
        await mkdir(dirname(to), { recursive: true });
        if (!(await inside(src, dirname(to)))) continue;
        if (await move(join(taken, slot(path, index)), to).then(yes, no)) restored.push(path);
      }
      await rm(taken, { recursive: true, force: true });
      return restored;
    },
    async save(src) {
      const [fresh, old] = [join(folder, randomUUID()), join(folder, randomUUID())];
      await mkdir(fresh, { recursive: true });
      const saved: string[] = [];
      for (const [index, path] of folders.entries()) {
        const from = join(src, path);
        if (!(await inside(src, dirname(from)))) continue;
        if (await move(from, join(fresh, slot(path, index))).then(yes, no)) saved.push(path);
      }
      if (saved.length > 0) {
        // A rename onto a folder that is not empty fails: move the older one away first.
        await rename(current, old).catch(() => {});
        await rename(fresh, current).catch(() => {}); // a concurrent build was faster: its cache is as good
      }
      for (const rest of [fresh, old]) await rm(rest, { recursive: true, force: true });
      return saved;
    },
  };
}

const CURRENT = "current";

/** Removes what builds that were killed had taken out or were putting back. `caches` holds a folder for each location. */
export async function removeHalves(caches: string): Promise<void> {
  for (const location of await readdir(caches).catch(() => [])) {
    const names = await readdir(join(caches, location));
    for (const name of names) if (name !== CURRENT) await rm(join(caches, location, name), { recursive: true, force: true });
  }
}

/** Another disk takes no rename: copied there, then removed here. Half a copy is removed. */
async function move(from: string, to: string): Promise<void> {
  try {
    return await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
  }
  try {
    await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  } catch (error) {
    await rm(to, { recursive: true, force: true });
    throw error;
  }
  await rm(from, { recursive: true, force: true });
}

const yes = () => true;
const no = () => false;

/** Names what is stored by its path, so that another buildspec's folders are never taken for it. */
const slot = (path: string, index: number) => `${index}-${encodeURIComponent(path)}`;

/** "node_modules/**" → "node_modules". Paths outside the source, and globs before the last folder, are not cached. */
function cachedFolders(paths: readonly string[]): string[] {
  const plain = paths.flatMap((path) => {
    const relative = path.replace(/^\.\//, "");
    const folder = /[*?{]/.test(relative) ? fixedPart(relative) : relative;
    const trimmed = folder.replace(/\/+$/, "");
    const usable = trimmed !== "" && !trimmed.startsWith("/") && !trimmed.split("/").includes("..");
    return usable ? [trimmed] : [];
  });
  return [...new Set(plain)];
}

/** A source may have made a folder on the way into a link: never move anything that is outside of it. */
async function inside(src: string, folder: string): Promise<boolean> {
  const [root, real] = await Promise.all([realpath(src), realpath(folder).catch(() => "")]);
  return real === root || real.startsWith(root + sep);
}
