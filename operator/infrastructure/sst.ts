import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readlink, rename, symlink, writeFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** What SST bundles: its configuration, and the rooms that it imports. */
const SOURCES = ["sst.config.ts", "infra", "blueprint", "domain", "engine", "services", "client", "package.json"] as const;

/**
 * Makes a folder in which SST works: links to the sources, so that imports are resolved from where these lie, and beside
 * them SST's own `.sst`. The installed package, which may be read-only, is not written to; git does not see the folder.
 *
 * @param root the installed package (its sources are in `aws/`), or a clone
 */
export const workFolder = async (root: string, folder: string): Promise<void> => {
  const from = existsSync(join(root, "aws")) ? join(root, "aws") : root;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, ".gitignore"), "*\n");
  await Promise.all(SOURCES.map((name) => link(join(from, name), join(folder, name))));
};

/** A link that is right stays as it is, and another one is replaced at once: SST may be at work there already. */
const link = async (to: string, path: string): Promise<void> => {
  if ((await readlink(path).catch(() => undefined)) === to) return;
  const made = `${path}.${process.pid}`;
  await symlink(to, made);
  await rename(made, path);
};

/**
 * Runs SST's own program, without the script before it, which a signal would end alone.
 *
 * @param ending SST is to end, as by Ctrl-C: it finishes what it cannot leave, and gives its lock back
 * @returns SST's exit code; 130 where a signal ended it
 */
export const runSst = (
  folder: string,
  args: readonly string[],
  more: Readonly<Record<string, string>>,
  ending: AbortSignal,
): Promise<number> => {
  const found = findPackageJSON("sst", import.meta.url);
  if (found === undefined) throw new Error("the package sst, which Shiplog brings, is not installed: install Shiplog again");
  const program = `sst-${process.platform}-${process.arch}`;
  const there = findPackageJSON(program, pathToFileURL(found));
  if (there === undefined)
    throw new Error(`the package ${program}, which SST brings for this system, is not installed: install Shiplog again`);
  // SST starts whatever `node` is found first
  const PATH = [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter);
  const env = { ...process.env, PATH, SST_TELEMETRY_DISABLED: "1", ...more };
  return new Promise((resolve, reject) => {
    const child = spawn(join(dirname(there), "bin/sst"), args, { cwd: folder, stdio: "inherit", env });
    const end = (): void => void child.kill("SIGINT");
    ending.addEventListener("abort", end);
    child.once("error", reject);
    child.once("exit", (code) => {
      ending.removeEventListener("abort", end);
      resolve(code ?? 130);
    });
  });
};
