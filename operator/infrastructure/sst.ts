import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { delimiter, dirname, join } from "node:path";

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
  // another release of Shiplog may have other rooms
  const left = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isSymbolicLink());
  await Promise.all(left.map(({ name }) => rm(join(folder, name))));
  await writeFile(join(folder, ".gitignore"), "*\n");
  await Promise.all(SOURCES.map((name) => symlink(join(from, name), join(folder, name))));
};

/** @returns SST's exit code; 130 and the like where a signal ended it */
export const runSst = (folder: string, args: readonly string[], more: Readonly<Record<string, string>>): Promise<number> => {
  const found = findPackageJSON("sst", import.meta.url);
  if (found === undefined) throw new Error("the package sst, which Shiplog brings, is not installed: install Shiplog again");
  const sst = join(dirname(found), "bin/sst.mjs");
  // SST starts whatever `node` is found first
  const PATH = [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter);
  const env = { ...process.env, PATH, SST_TELEMETRY_DISABLED: "1", ...more };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [sst, ...args], { cwd: folder, stdio: "inherit", env });
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
};
