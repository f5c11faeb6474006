import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Figures } from "../figures.ts";
import type { Change, Mutant } from "./mutants.ts";

const root = join(import.meta.dirname, "../../..");
/** What the simulation is made of, besides installed packages. */
export const PARTS = [
  "domain",
  "blueprint",
  "engine",
  "services",
  "operator",
  "client",
  "infra",
  "test/simulation",
  "test/support",
  "local/edge/router-runtime.ts",
  "local/endpoint/event-pattern.ts",
  "local/http.ts",
  "package.json",
];

export type Hunted = { readonly mutant: string; readonly seeds: number; readonly caughtBy: string | null };

/** The source with a change; throws where it is not the source that the change was made for. */
export const changed = (source: string, mutant: string, { file, from, to }: Change): string => {
  const found = source.split(from).length - 1;
  if (found !== 1)
    throw new Error(`"${mutant}" does not fit: ${file} has these words ${found} times, not once: ${from.trim().slice(0, 80)}`);
  return source.replace(from, () => to);
};

/** Runs worlds of an engine with a planted mistake, in a tree of its own, until one shows it; or every order of a few calls. */
export const hunt = (mutant: Mutant, seeds: number): Promise<Hunted> =>
  inTreeWith(mutant, PARTS, async (tree) => {
    if (mutant.by === "orders") return { mutant: mutant.name, seeds: 0, caughtBy: await exploreOrders(tree) };
    const [violation] = (await simulate(tree, seeds, mutant.theme)).violations;
    return { mutant: mutant.name, seeds: violation?.seed ?? seeds, caughtBy: violation?.what ?? null };
  });

/**
 * A copy of some parts of the source with a mistake planted in it, taken away afterwards.
 *
 * @param parts files and folders below the root
 */
export const inTreeWith = async <T>({ name, changes }: Mutant, parts: readonly string[], use: (tree: string) => Promise<T>): Promise<T> => {
  const tree = await mkdtemp(join(tmpdir(), "shiplog-mutant-"));
  try {
    for (const part of parts) {
      await mkdir(dirname(join(tree, part)), { recursive: true });
      await cp(join(root, part), join(tree, part), { recursive: true });
    }
    await symlink(join(root, "node_modules"), join(tree, "node_modules"));
    for (const change of changes) {
      const file = join(tree, change.file);
      await writeFile(file, changed(await readFile(file, "utf8"), name, change));
    }
    return await use(tree);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
};

/** Worlds of a tree of its own, until the first violation. */
export const simulate = (tree: string, seeds: number, theme?: string): Promise<Figures> =>
  new Promise((resolve, reject) => {
    const args = [join(tree, "test/simulation/simulate.ts"), "--seeds", String(seeds), "--workers", "1", "--stop", "--json"];
    if (theme !== undefined) args.push("--theme", theme);
    execFile(process.execPath, args, { cwd: tree, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      // it ends with 1 where something was found
      if (stdout === "") reject(error ?? new Error(stderr));
      else resolve(JSON.parse(stdout) as Figures);
    });
  });

/** The first thing that goes wrong in any order of the calls of two flips. */
const exploreOrders = (tree: string): Promise<string | null> =>
  new Promise((resolve, reject) => {
    const args = [join(tree, "test/simulation/explore/run.ts"), "--quick", "--json"];
    execFile(process.execPath, args, { cwd: tree }, (error, stdout, stderr) => {
      if (stdout === "") reject(error ?? new Error(stderr));
      else resolve(JSON.parse(stdout) as string | null);
    });
  });
