import { mkdir, readdir, realpath, rename, rm } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { exists, fixedPart } from "./artifacts.ts";

/**
 * Keeps the folders of `cache.paths` between builds of one project by renaming them, which costs nothing.
 * A build that starts takes the whole cache away, so of two concurrent builds one has it and the other begins
 * without; only a build that succeeded puts one back, so a cut build never leaves half a cache.
 */
export type Cache = {
  /** Moves cached folders into the fresh source; where the source has a folder of that name it stays as it is. */
  restore(src: string, scratch: string): Promise<string[]>;
  save(src: string, scratch: string): Promise<string[]>;
};

export function openCache(folder: string, paths: readonly string[]): Cache {
  const current = join(folder, "current");
  const folders = cachedFolders(paths);

  return {
    async restore(src, scratch) {
      const taken = join(scratch, "cache-taken");
      await mkdir(folder, { recursive: true });
      if (!(await rename(current, taken).then(yes, no))) return [];
      const restored: string[] = [];
      for (const [index, path] of folders.entries()) {
        const to = join(src, path);
        if (await exists(to)) continue;
        await mkdir(dirname(to), { recursive: true });
        if (!(await inside(src, dirname(to)))) continue;
        if (await rename(join(taken, slot(path, index)), to).then(yes, no)) restored.push(path);
      }
      await rm(taken, { recursive: true, force: true });
      return restored;
    },
    async save(src, scratch) {
      const fresh = join(scratch, "cache-fresh");
      await mkdir(fresh, { recursive: true });
      const saved: string[] = [];
      for (const [index, path] of folders.entries()) {
        const from = join(src, path);
        if (!(await inside(src, dirname(from)))) continue;
        if (await rename(from, join(fresh, slot(path, index))).then(yes, no)) saved.push(path);
      }
      if (saved.length === 0) return [];
      // A rename onto a folder that is not empty fails: move the older one away first.
      await rename(current, join(scratch, "cache-old")).catch(() => {});
      await rename(fresh, current).catch(() => {}); // a concurrent build was faster: its cache is as good
      return (await readdir(folder)).length > 0 ? saved : [];
    },
  };
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
