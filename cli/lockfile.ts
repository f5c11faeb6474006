import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Manager } from "../blueprint/sites-install.ts";
import type { Layout } from "./app-layout.ts";

/** A package as a lockfile or an installation has it. */
export type LockedPackage = { readonly version: string; readonly peers: Readonly<Record<string, string>> };

/** What a lockfile says, as far as it can be read here; nothing of bun's binary one. */
export type Lock = {
  packageOf(name: string, range: string): LockedPackage | undefined;
  /** whether it plainly does not know a package that the app itself wants */
  lacks(name: string): boolean;
};

export function readLock({ root, app }: Layout, lockfile: string, manager: Manager): Lock {
  if (lockfile === "bun.lockb") return NOTHING;
  try {
    return READERS[manager](readFileSync(join(root, lockfile), "utf8"), app);
  } catch {
    return NOTHING; // its own manager says better what is wrong with it
  }
}

/** What is installed for an app now, which a build need not get. */
export function installedPackage({ root, app = "" }: Layout, name: string): LockedPackage | undefined {
  for (const folder of [join(root, app), root]) {
    const file = join(folder, "node_modules", name, "package.json");
    try {
      if (existsSync(file)) return locked(JSON.parse(readFileSync(file, "utf8")));
    } catch {
      // half of an installation says nothing
    }
  }
  return undefined;
}

const NOTHING: Lock = { packageOf: () => undefined, lacks: () => false };

type Entry = { version?: unknown; peerDependencies?: Record<string, string> | null };
const locked = (entry: Entry | undefined): LockedPackage | undefined =>
  typeof entry?.version === "string" ? { version: entry.version, peers: entry.peerDependencies ?? {} } : undefined;

type Wanting = Partial<Record<"dependencies" | "devDependencies" | "optionalDependencies", Record<string, unknown>>>;
const namesOf = (entry: Wanting | undefined): ReadonlySet<string> | undefined =>
  entry === undefined
    ? undefined
    : new Set([entry.dependencies, entry.devDependencies, entry.optionalDependencies].flatMap((some) => Object.keys(some ?? {})));

const lackingIn = (names: ReadonlySet<string> | undefined) => (name: string) => names !== undefined && !names.has(name);

const readNpm = (text: string, app = ""): Lock => {
  const { packages = {} } = JSON.parse(text) as { packages?: Record<string, Entry & Wanting> };
  return {
    packageOf: (name) => locked(packages[`${app === "" ? "" : `${app}/`}node_modules/${name}`] ?? packages[`node_modules/${name}`]),
    lacks: lackingIn(namesOf(packages[app])),
  };
};

/** Two parts of the file alone are parsed: all of it takes a second in a large workspace. */
const readPnpm = (text: string, app = "."): Lock => {
  const part = /^importers:\n[\s\S]*?(?=^\S)/m.exec(`${text.replaceAll("\r\n", "\n")}\nend:`)?.[0];
  const importer = part === undefined ? undefined : (parse(part) as { importers: Record<string, Wanting> }).importers[app];
  const versions = { ...importer?.devDependencies, ...importer?.dependencies } as Record<string, { version?: string } | undefined>;
  return {
    packageOf: (name) => {
      const version = versions[name]?.version?.replace(/\(.*/s, "");
      if (version === undefined) return undefined;
      const entry = text.indexOf(`\n  '${name}@${version}':\n`);
      const block = entry < 0 ? "" : text.slice(entry, text.indexOf("\n\n", entry));
      const [only] = Object.values((parse(block) ?? {}) as Record<string, Entry>);
      return { version, peers: only?.peerDependencies ?? {} };
    },
    lacks: lackingIn(namesOf(importer)),
  };
};

const readYarn = (text: string): Lock => {
  const blocks = text.replaceAll("\r\n", "\n").split(/\n(?=\S)/);
  const headOf = (block: string): string[] =>
    block
      .slice(0, block.indexOf(":\n"))
      .split(",")
      .map((one) => one.trim().replaceAll('"', ""));
  const isClassic = !/^__metadata:/m.test(text);
  const names = new Set(blocks.flatMap(headOf).map((head) => head.slice(0, head.indexOf("@", 1))));
  return {
    packageOf: (name, range) => {
      const block = blocks.find((one) => headOf(one).some((head) => head === `${name}@${range}` || head === `${name}@npm:${range}`));
      const version = /^ {2}version:? "?([^"\n]+)"?$/m.exec(block ?? "")?.[1];
      if (version === undefined) return undefined;
      const peers = /^ {2}peerDependencies:\n((?: {4}.*\n?)+)/m.exec(block ?? "")?.[1];
      return { version, peers: peers === undefined ? {} : parse(peers) };
    },
    // a classic one does not list the packages of its own workspace
    lacks: (name) => (isClassic ? name === "@opennextjs/aws" && names.has("next") : true) && !names.has(name),
  };
};

/** JSON whose lists may end with a comma. */
const readBun = (text: string, app = ""): Lock => {
  const { packages = {}, workspaces = {} } = JSON.parse(text.replace(/,(?=\s*[}\]])/g, "")) as {
    packages?: Record<string, [string, unknown, Entry?]>;
    workspaces?: Record<string, Wanting>;
  };
  return {
    packageOf: (name) => {
      const [id, , more] = packages[name] ?? [];
      return id === undefined ? undefined : { version: id.slice(id.lastIndexOf("@") + 1), peers: more?.peerDependencies ?? {} };
    },
    lacks: lackingIn(namesOf(workspaces[app])),
  };
};

const READERS: Readonly<Record<Manager, (text: string, app?: string) => Lock>> = {
  npm: readNpm,
  pnpm: readPnpm,
  yarn: readYarn,
  bun: readBun,
};
