import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import ignore, { type Ignore } from "ignore";
import { ArchiveRefused } from "./archive-rules.ts";
import { type Listed, listDirectory, type Zipped, zipDirectory } from "./archive-zip.ts";

export type SourceOptions = {
  /** Paths of `.env*` files (relative to the folder) that the build needs, taken even where a .gitignore lists them. Default none. */
  readonly envFiles?: readonly string[];
};

/** What a person may expect in a source and is not in it. What every build leaves out is none of that. */
export type LeftOut = { readonly path: string; readonly why: Why | "dead-link" };
type Why = "secret" | "local-values" | "shiplogignore" | "gitignore";

/** Without what a .gitignore names. */
export type ZippedSource = Zipped & { readonly leftOut: readonly LeftOut[] };
export type ListedSource = Listed & { readonly leftOut: readonly LeftOut[] };

/**
 * Packs an app's folder for a build: what `sourceRules` takes in, links as links.
 * Throws `ArchiveRefused` for a symbolic link that leaves the folder, a special file, a name that no archive can hold, and
 * where nothing is left to pack.
 */
export async function zipSource(dir: string, target: string, options: SourceOptions = {}): Promise<ZippedSource> {
  const leftOut: LeftOut[] = [];
  const include = sourceRules(dir, options, (path, why) => why !== "gitignore" && leftOut.push({ path, why }));
  const zipped = await zipDirectory(dir, target, { include, symlinks: "keep" });
  if (zipped.files === 0) throw empty(dir);
  return { ...zipped, leftOut: [...leftOut, ...strayLinks(zipped)] };
}

/** What `zipSource` would pack and leave out, with what a .gitignore names, and nothing written. Refuses what that refuses. */
export async function listSource(dir: string, options: SourceOptions = {}): Promise<ListedSource> {
  const leftOut: LeftOut[] = [];
  const include = sourceRules(dir, options, (path, why) => leftOut.push({ path, why }));
  const listed = await listDirectory(dir, { include, symlinks: "keep" });
  if (listed.files.length === 0) throw empty(dir);
  return { ...listed, leftOut: [...leftOut, ...strayLinks(listed)] };
}

const empty = (dir: string) =>
  new ArchiveRefused("empty", undefined, `${dir} holds nothing to build: it is empty, or everything in it is ignored`);
const strayLinks = ({ strayPrograms }: Pick<Listed, "strayPrograms">): LeftOut[] =>
  strayPrograms.map((path) => ({ path, why: "dead-link" }));

/** Whether a path (relative to the folder) belongs to a source; asked for a folder before what is in it. */
export type SourceRules = (path: string, directory: boolean) => Promise<boolean>;

/**
 * An app's source is everything but dependencies, build output, version control, what a .gitignore or .shiplogignore leaves
 * out (nested ones too; the nearest to a file decides), and `.env*` files, which hold secrets: only `.env.example` and
 * those named in `envFiles` go along, unless a .shiplogignore leaves them out.
 */
export const sourceRules = (dir: string, options: SourceOptions = {}, tell: (path: string, why: Why) => void = () => {}): SourceRules => {
  const named = new Set(options.envFiles?.map((path) => path.replace(/^\.\//, "")));
  const gitignored = ignoreFiles(dir, [".gitignore", ".shiplogignore"]);
  const shiplogignored = ignoreFiles(dir, [".shiplogignore"]);
  return async (path, directory) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (NEVER.has(name)) return false;
    const isEnv = name.startsWith(".env") && !directory && name !== ".env.example";
    if ((isEnv || (await gitignored(path, directory))) && (await shiplogignored(path, directory))) {
      tell(path, "shiplogignore");
      return false;
    }
    if (named.has(path)) return true;
    if (isEnv) {
      tell(path, name.endsWith(".local") ? "local-values" : "secret");
      return false;
    }
    if (!(await gitignored(path, directory))) return true;
    tell(path, "gitignore");
    return false;
  };
};

const NEVER: ReadonlySet<string> = new Set(["node_modules", ".git", ".next", ".open-next", ".shiplog", ".sst"]);

function ignoreFiles(dir: string, files: readonly string[]) {
  const rules = new Map<string, Promise<Ignore>>();

  async function read(folder: string): Promise<Ignore> {
    const both = ignore();
    for (const file of files) {
      const path = join(dir, folder, file);
      // neither a folder nor a named pipe of that name says anything; git passes over a byte order mark
      if (
        await stat(path).then(
          (status) => status.isFile(),
          () => false,
        )
      )
        both.add((await readFile(path, "utf8")).replace(/^\uFEFF/, ""));
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
