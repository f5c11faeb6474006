import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import ignore from "ignore";
import * as z from "zod";
import { type CliError, usageError } from "./failure.ts";

/** Which folder is packed for a build, and where the app is in it. */
export type Layout = {
  /** the app's folder, or the root of the workspace that it is a part of */
  readonly root: string;
  /** `apps/web`; undefined where the app is the root */
  readonly app?: string;
};

type Manager = "npm" | "pnpm" | "yarn" | "bun";
const LOCKFILES: readonly (readonly [string, Manager])[] = [
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
];

/**
 * The layout of an app that is built by the default buildspec: where its lockfile is, is its root.
 * @throws CliError (usage) where no lockfile says what a build installs, or two do
 */
export function layoutOf(app: string): Layout {
  const root = lockfilesOf(app).length > 0 ? app : workspaceOf(app);
  if (root === undefined) throw withoutLockfile(app);
  const [first, ...others] = lockfilesOf(root);
  const other = others.find(([, manager]) => manager !== first?.[1]);
  if (first === undefined) throw withoutLockfile(app);
  if (other !== undefined)
    throw usageError(
      `${root} has both ${first[0]} and ${other[0]}: which packages a build installs is not certain.`,
      "Remove the one that is not used any more, then deploy again.",
    );
  checkNamedManager(root, first);
  return root === app ? { root } : { root, app: relative(root, app).split(sep).join("/") };
}

/** Whose lockfile a folder has; npm's where there is none. */
export const managerOf = (folder: string): Manager => lockfilesOf(folder)[0]?.[1] ?? "npm";

const lockfilesOf = (folder: string) => LOCKFILES.filter(([file]) => existsSync(join(folder, file)));

const withoutLockfile = (app: string): CliError =>
  usageError(
    `${app} has no lockfile, and no workspace above it that names it has one: a build installs exactly what a lockfile says.`,
    "Run `npm install` there (or pnpm, yarn or bun install), then deploy again.",
  );

/** The nearest folder above that declares the app as one of its workspace's packages and has the lockfile. */
function workspaceOf(app: string): string | undefined {
  for (let here = dirname(app); ; here = dirname(here)) {
    const patterns = packagesOf(here);
    if (patterns !== undefined && lockfilesOf(here).length > 0) return namesPackage(patterns, relative(here, app)) ? here : undefined;
    if (here === dirname(here)) return undefined;
  }
}

const Workspaces = z.object({ workspaces: z.union([z.array(z.string()), z.object({ packages: z.array(z.string()) })]).optional() });

/** The patterns of a workspace's packages; undefined where the folder is no workspace's root. */
function packagesOf(folder: string): readonly string[] | undefined {
  const pnpm = textOf(join(folder, "pnpm-workspace.yaml"));
  // a list of quoted or plain names below `packages:`; anything cleverer is left to pnpm
  const listed = pnpm === undefined ? undefined : /^packages:[^\S\n]*\n((?:[ \t]*(?:-.*|#.*)?\n?)*)/m.exec(`${pnpm}\n`)?.[1];
  if (listed !== undefined)
    return [...listed.matchAll(/^[ \t]*-[ \t]*["']?([^"'\n#]+?)["']?[ \t]*(?:#.*)?$/gm)].map(([, name = ""]) => name);
  const manifest = Workspaces.safeParse(jsonOf(join(folder, "package.json")));
  const workspaces = manifest.success ? manifest.data.workspaces : undefined;
  return Array.isArray(workspaces) ? workspaces : workspaces?.packages;
}

const namesPackage = (patterns: readonly string[], folder: string): boolean => {
  const anchored = patterns.map((pattern) => pattern.replace(/^(!?)(?:\.?\/)?/, "$1/").replace(/\/+$/, ""));
  return ignore().add(anchored).ignores(folder.split(sep).join("/"));
};

/** `packageManager` of package.json, where it names one that the lockfile is not of. */
function checkNamedManager(root: string, [lockfile, manager]: readonly [string, Manager]): void {
  const named = z.object({ packageManager: z.string() }).safeParse(jsonOf(join(root, "package.json")));
  const name = named.success ? named.data.packageManager.split("@")[0] : undefined;
  if (name === undefined || name === manager) return;
  throw usageError(
    `${join(root, "package.json")} names ${named.data?.packageManager} as its package manager, and ${lockfile} is ${manager}'s.`,
    `Run \`${name} install\` and remove ${lockfile}, or correct packageManager.`,
  );
}

const textOf = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, "utf8").replace(/^\uFEFF/, "") : undefined);

const jsonOf = (file: string): unknown => {
  try {
    return JSON.parse(textOf(file) ?? "null");
  } catch {
    return undefined; // the app's own is looked at, with a message, before
  }
};
