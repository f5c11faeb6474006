import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, realpath, rm, rmdir, stat } from "node:fs/promises";
import { homedir, tmpdir, userInfo } from "node:os";
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { exists } from "../exists.ts";
import { PhaseFailed } from "./build.ts";

/**
 * Folders that builds work in, outside of every project and of the engine's own files. npm and its like, Node, Next.js and
 * git look for a project from the folder they run in up to the root, and change what they find: only a folder that has
 * none above it is a boundary for all of them (ADR 0013).
 */
export type WorkFolders = {
  /**
   * Makes the folder of a build: new, empty, readable by its owner alone. Returns its real path.
   * @throws PhaseFailed where every place that could be used is inside a project; the message names what is in the way
   */
  make(build: string): Promise<string>;
  /** Removes what builds of this data folder left when they were killed, and what anybody's left more than a day ago. */
  removeStale(): Promise<void>;
  /** Removes what `make` made besides the builds' own folders. */
  close(): Promise<void>;
};

/** Where builds may work, best first: SHIPLOG_BUILDS alone, or the user's cache folder, else a folder for temporary files. */
export const workRoots = (environment: NodeJS.ProcessEnv): readonly string[] => {
  if (environment.SHIPLOG_BUILDS) return [resolve(environment.SHIPLOG_BUILDS)];
  const { XDG_CACHE_HOME: named = "" } = environment;
  const cache = process.platform === "darwin" ? join(homedir(), "Library/Caches") : isAbsolute(named) ? named : join(homedir(), ".cache");
  const own = `shiplog-builds-${userInfo().uid}`;
  return [join(cache, "shiplog/builds"), join(tmpdir(), own), join("/var/tmp", own)];
};

/** No build takes longer: a site's limit is eight hours. */
const STALE_MS = 24 * 3_600_000;

export function openWorkFolders(dataDir: string, roots: readonly string[]): WorkFolders {
  // the name says nothing of where the data folder is: builds see it
  const own = async () =>
    `engine-${createHash("sha256")
      .update(await realpath(dataDir))
      .digest("hex")
      .slice(0, 16)}`;

  return {
    async make(build) {
      const found: string[] = [];
      for (const root of roots) {
        const place = await realPlace(root);
        const problem = await problemOf(place, await realpath(dataDir));
        if (problem !== undefined) {
          found.push(`${root} (${problem})`);
          continue;
        }
        const folder = join(place, await own(), build);
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true, mode: 0o700 });
        return folder;
      }
      throw new PhaseFailed(
        "CLIENT_ERROR",
        `builds have no folder to work in that is outside of every project: ${found.join(", ")}. Remove what is in the way, or name another folder in SHIPLOG_BUILDS and start the engine again`,
      );
    },
    async removeStale() {
      const ours = await own();
      for (const root of roots) {
        if (!(await belongsToUs(root))) continue;
        for (const name of await readdir(root)) {
          if (!/^engine-[0-9a-f]{16}$/.test(name)) continue;
          const folder = join(root, name);
          if (name === ours || (await isStale(folder))) await rm(folder, { recursive: true, force: true });
        }
      }
    },
    async close() {
      const ours = await own();
      for (const root of roots) await rmdir(join(root, ours)).catch(() => {}); // not there, or a build's folder is still in it
    },
  };
}

/** False of a folder that is gone: another engine, which came to its end or starts too, removed it meanwhile. */
async function isStale(folder: string): Promise<boolean> {
  const status = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  return status !== undefined && Date.now() - status.mtimeMs > STALE_MS;
}

/** What a path will really be once it is made: links on the way are followed, as a process that works there would see it. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    return join(await realPlace(dirname(path)), basename(path));
  }
}

/** Why builds cannot work there; makes the folder where nothing is in the way, and writes nothing where something is. */
async function problemOf(root: string, dataDir: string): Promise<string | undefined> {
  if (`${root}${sep}`.startsWith(`${dataDir}${sep}`)) return "it is in the engine's data folder";
  for (let folder = root; ; folder = dirname(folder)) {
    for (const name of SOUGHT_UPWARDS) if (await exists(join(folder, name))) return `${join(folder, name)} is in the way`;
    if (dirname(folder) === folder) break;
  }
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
  } catch (error) {
    return `it cannot be made: ${(error as NodeJS.ErrnoException).code}`;
  }
  return (await belongsToUs(root)) ? undefined : "somebody else may write to it";
}

async function belongsToUs(root: string): Promise<boolean> {
  const status = await stat(root).catch(() => undefined);
  return status?.isDirectory() === true && status.uid === userInfo().uid && (status.mode & 0o022) === 0;
}

const each = (names: readonly string[], endings: readonly string[]): string[] =>
  names.flatMap((name) => endings.map((ending) => `${name}${ending}`));

const MODULES = [".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"];
const CONFIGURATIONS = ["", ".json", ".yaml", ".yml", ...MODULES];

/** What the tools of a build look for from where they run up to the root: it would become part of the build, or be changed by it. */
const SOUGHT_UPWARDS: readonly string[] = [
  // npm, pnpm, yarn, bun, and Node's own resolution
  ...["package.json", "node_modules", ".pnp.cjs", ".pnp.js"],
  // Next.js, OpenNext and monorepos: the root of the workspace
  ...["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"],
  ...["pnpm-workspace.yaml", "lerna.json", "nx.json", "turbo.json", "rush.json"],
  // compilers and what they ask
  ...["tsconfig.json", "jsconfig.json", ".swcrc", ".browserslistrc", "browserslist", ".git"],
  ...each(["babel.config", "postcss.config", "eslint.config", "tailwind.config"], [".json", ...MODULES]),
  ...each([".babelrc", ".postcssrc", ".eslintrc"], CONFIGURATIONS),
];
