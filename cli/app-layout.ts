import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import * as z from "zod";
import { INSTALLS, LOCKFILES, type Manager } from "../blueprint/sites-install.ts";
import { errorAt, type Finding } from "./finding.ts";

/** Which folder is packed for a build, and where the app is in it. */
export type Layout = {
  /** the app's folder, or the root of the workspace that it is a part of */
  readonly root: string;
  /** `apps/web`; undefined where the app is the root */
  readonly app?: string;
};

/** What the default build installs an app with. */
export type Install = {
  readonly manager: Manager;
  /** its name, in the layout's root */
  readonly lockfile: string;
  readonly command: string;
};

/** The layout as far as it is certain, and what is wrong with it. */
export type FoundLayout = { readonly layout: Layout; readonly install?: Install; readonly findings: readonly Finding[] };

/** The layout of an app that is built by the default buildspec: where its lockfile is, is its root. */
export function layoutOf(app: string): FoundLayout {
  const root = (lockfilesOf(app).length > 0 ? app : workspaceOf(app)) ?? workspaceOf(app, "without a lockfile") ?? app;
  const layout = root === app ? { root } : { root, app: relative(root, app).split(sep).join("/") };
  const [first, ...others] = lockfilesOf(root);
  if (first === undefined) return { layout, findings: [withoutLockfile(app, root)] };
  const other = others.find(([, manager]) => manager !== first[1]);
  const findings = other === undefined ? namedManager(root, first) : [twoLockfiles(root, first[0], other[0])];
  return { layout, install: { manager: first[1], lockfile: first[0], command: installOf(root, first) }, findings };
}

/** Whose lockfile a folder has, else whom `packageManager` names, or whose workspace it is; npm where nobody says. */
export const managerOf = (folder: string): Manager =>
  lockfilesOf(folder)[0]?.[1] ?? namedIn(folder)?.manager ?? (existsSync(join(folder, PNPM_WORKSPACE)) ? "pnpm" : "npm");

const PNPM_WORKSPACE = "pnpm-workspace.yaml";

const lockfilesOf = (folder: string) => LOCKFILES.filter(([file]) => existsSync(join(folder, file)));

const isClassic = (root: string): boolean => !/^__metadata:/m.test(textOf(join(root, "yarn.lock")) ?? "");
const installOf = (root: string, [, manager]: readonly [string, Manager]): string =>
  INSTALLS[manager === "yarn" && isClassic(root) ? "yarnClassic" : manager];

const withoutLockfile = (app: string, root: string): Finding => {
  const manager = managerOf(root);
  const where = root === app ? "there" : `in ${root}`;
  return errorAt(
    "lockfile.missing",
    `${app} has no lockfile, and no workspace above it that names it has one: a build installs exactly what a lockfile says.`,
    `Run \`${manager} install\` ${where}${manager === "npm" ? " (or pnpm, yarn or bun install)" : ""}, and commit the lockfile.`,
  );
};

const twoLockfiles = (root: string, first: string, other: string): Finding =>
  errorAt(
    "lockfile.several",
    `${root} has both ${first} and ${other}: which packages a build installs is not certain.`,
    `Remove the one that is not used any more: rm ${other}`,
  );

/** The nearest folder above that declares the app as one of its workspace's packages, and has the lockfile where one is asked for. */
function workspaceOf(app: string, lockfile?: "without a lockfile"): string | undefined {
  for (let here = dirname(app); ; here = dirname(here)) {
    const patterns = packagesOf(here);
    if (patterns !== undefined && (lockfile !== undefined || lockfilesOf(here).length > 0))
      return namesPackage(patterns, relative(here, app)) ? here : undefined;
    if (here === dirname(here)) return undefined;
  }
}

const Workspaces = z.object({ workspaces: z.union([z.array(z.string()), z.object({ packages: z.array(z.string()) })]).optional() });

/** The patterns of a workspace's packages; undefined where the folder is no workspace's root. */
function packagesOf(folder: string): readonly string[] | undefined {
  const pnpm = textOf(join(folder, PNPM_WORKSPACE));
  // a list of quoted or plain names below `packages:`; anything cleverer is left to pnpm
  const listed = pnpm === undefined ? undefined : /^packages:[^\S\n]*\n((?:[ \t]*(?:-.*|#.*)?\n?)*)/m.exec(`${pnpm}\n`)?.[1];
  if (listed !== undefined)
    return [...listed.matchAll(/^[ \t]*-[ \t]*["']?([^"'\n#]+?)["']?[ \t]*(?:#.*)?$/gm)].map(([, name = ""]) => name);
  const manifest = Workspaces.safeParse(jsonOf(join(folder, "package.json")));
  const workspaces = manifest.success ? manifest.data.workspaces : undefined;
  return Array.isArray(workspaces) ? workspaces : workspaces?.packages;
}

/** Whether a workspace's patterns name a folder; the last that says anything decides. */
const namesPackage = (patterns: readonly string[], folder: string): boolean => {
  const file = `${folder.split(sep).join("/")}/package.json`;
  const isOf = (pattern: string): boolean => withoutBraces(pattern.replace(/^!/, "")).some((one) => expressionOf(one).test(file));
  return patterns.reduce((named, pattern) => (isOf(pattern) ? !pattern.startsWith("!") : named), false);
};

/** `{apps,libs}/*` is `apps/*` and `libs/*`. */
function withoutBraces(pattern: string): string[] {
  const [braces, words = ""] = /\{([^{}]*)\}/.exec(pattern) ?? [];
  return braces === undefined ? [pattern] : words.split(",").flatMap((word) => withoutBraces(pattern.replace(braces, () => word)));
}

/** A pattern of folders (`packages/*`, `apps/**`) as an expression over their package.json. */
const expressionOf = (pattern: string): RegExp => {
  const parts = `${pattern.replace(/^\.?\//, "").replace(/\/+$/, "")}/package.json`.match(/\*\*\/|[*?]|[^*?]+/g) ?? [];
  return new RegExp(`^${parts.map((part) => WILDCARDS[part] ?? part.replace(/[.+^$()|{}[\]\\]/g, "\\$&")).join("")}$`);
};
const WILDCARDS: Readonly<Record<string, string>> = { "**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]" };

/** Whether a folder (from the root) is one of the workspace's packages; none is where the root is no workspace. */
export const isMemberOf = (root: string): ((folder: string) => boolean) => {
  const patterns = packagesOf(root) ?? [];
  return (folder) => namesPackage(patterns, folder);
};

/** `packageManager` of package.json, where it names one that the lockfile is not of. */
function namedManager(root: string, [lockfile, manager]: readonly [string, Manager]): Finding[] {
  const named = namedIn(root);
  if (named === undefined || named.manager === manager) return [];
  return [
    errorAt(
      "lockfile.other-manager",
      `${join(root, "package.json")} names ${named.text} as its package manager, and ${lockfile} is ${manager}'s.`,
      `Run \`${named.manager} install\` and remove ${lockfile}, or correct packageManager.`,
    ),
  ];
}

function namedIn(folder: string): { text: string; manager: Manager } | undefined {
  const named = z.object({ packageManager: z.string() }).safeParse(jsonOf(join(folder, "package.json")));
  const text = named.success ? named.data.packageManager : "";
  const manager = LOCKFILES.find(([, one]) => one === text.split("@")[0])?.[1];
  return manager === undefined ? undefined : { text, manager };
}

const textOf = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, "utf8").replace(/^\uFEFF/, "") : undefined);

const jsonOf = (file: string): unknown => {
  try {
    return JSON.parse(textOf(file) ?? "null");
  } catch {
    return undefined; // the app's own is looked at, with a message, before
  }
};
