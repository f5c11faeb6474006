import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import ignore, { type Ignore } from "ignore";
import { type Zipped, zipDirectory } from "./archive-zip.ts";

export type SourceOptions = {
  /** Paths of `.env*` files (relative to the folder) that the build needs, taken even where a .gitignore lists them. Default none. */
  readonly envFiles?: readonly string[];
};

/**
 * Packs an app's folder for a build: everything but dependencies, build output, version control, what a
 * .gitignore or .shiplogignore leaves out (nested ones too; the nearest to a file decides), and `.env*` files,
 * which hold secrets: only `.env.example` and those named in `envFiles` go along.
 * Throws `ArchiveRefused` for a symbolic link that leaves the folder.
 */
export async function zipSource(dir: string, target: string, options: SourceOptions = {}): Promise<Zipped> {
  const named = new Set(options.envFiles?.map((path) => path.replace(/^\.\//, "")));
  const ignored = ignoreFiles(dir);
  const include = async (path: string, directory: boolean) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (NEVER.has(name)) return false;
    if (named.has(path)) return true;
    if (name.startsWith(".env") && !directory && name !== ".env.example") return false;
    return !(await ignored(path, directory));
  };
  const zipped = await zipDirectory(dir, target, { include, symlinks: "keep" });
  if (zipped.files === 0) throw new Error(`${dir} holds nothing to build: it is empty, or everything in it is ignored`);
  return zipped;
}

const NEVER: ReadonlySet<string> = new Set(["node_modules", ".git", ".next", ".open-next", ".shiplog", ".sst"]);

function ignoreFiles(dir: string) {
  const rules = new Map<string, Promise<Ignore>>();

  async function read(folder: string): Promise<Ignore> {
    const both = ignore();
    for (const file of [".gitignore", ".shiplogignore"]) {
      const text = await readFile(join(dir, folder, file), "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" || error.code === "EISDIR") return "";
        throw error;
      });
      both.add(text);
    }
    return both;
  }

  /** As git does: from the file's own folder up, the first ignore file that says anything about the path decides. */
  return async (path: string, directory: boolean): Promise<boolean> => {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      let here = rules.get(folder);
      if (!here) {
        here = read(folder);
        rules.set(folder, here);
      }
      const below = folder === "." ? path : path.slice(folder.length + 1);
      const verdict = (await here).test(directory ? `${below}/` : below);
      if (verdict.ignored) return true;
      if (verdict.unignored || folder === ".") return false;
    }
  };
}
