import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseSites, SitesRefused } from "../blueprint/sites-file.ts";
import { stagePrefix } from "../blueprint/stage.ts";
import { runSst, workFolder } from "../operator/infrastructure/sst.ts";
import type { Context } from "./context.ts";
import { CliError, type ExitCode, exit, usageError } from "./failure.ts";
import { Interrupted } from "./interruption.ts";

export type Wanted = {
  readonly stage: string;
  /** path; default: SHIPLOG_SITES, else shiplog.sites.json */
  readonly sites: string | undefined;
  readonly throwaway: boolean;
};

/** The package, or the clone, that this file is in. */
const ROOT = join(import.meta.dirname, "..");

/** Runs SST on the engine's own infrastructure with the sites file of the working folder. */
export async function onInfrastructure(
  { data, signal }: Context,
  { stage, sites, throwaway }: Wanted,
  args: readonly string[],
): Promise<ExitCode> {
  try {
    stagePrefix(stage, process.env.SHIPLOG_DEFAULT_STAGE);
  } catch (error) {
    throw usageError(`--stage: ${(error as Error).message}.`);
  }
  const named = sitesNamed(sites);
  const folder = resolve(data ?? (process.env.SHIPLOG_DATA || ".shiplog"), "aws");
  await workFolder(ROOT, folder);
  const variables = { SHIPLOG_SITES: named, ...(throwaway && { SHIPLOG_THROWAWAY: "1" }) };
  const code = await runSst(folder, [...args, "--stage", stage], variables, unlessTyped(signal));
  if (code === 0) return exit.reached;
  throw new CliError(exit.failed, "infrastructure.failed", `SST ended with ${code}: what it says is above.`, {
    next: `What was begun goes on where it stopped: run the command again. A lock that an interrupted run left:  shiplog sst unlock --stage ${stage}`,
  });
}

/** Ctrl-C reaches SST by the terminal itself; told twice, it would give up at once. Other signals reach this command alone. */
function unlessTyped(signal: AbortSignal): AbortSignal {
  const ending = new AbortController();
  signal.addEventListener("abort", () => {
    if (!(signal.reason instanceof Interrupted && signal.reason.signal === "SIGINT")) ending.abort();
  });
  return ending.signal;
}

/** `none`, or the whole path of a sites file that can be read: SST works in another folder, and says little of a broken one. */
function sitesNamed(given: string | undefined): string {
  const named = given ?? (process.env.SHIPLOG_SITES || "shiplog.sites.json");
  if (named === "none") return named;
  const file = resolve(named);
  if (!existsSync(file))
    throw usageError(
      `There is no sites file ${file}.`,
      "Write one (`shiplog init` in an app's folder), name it with --sites, or put the engine alone on AWS: --sites none.",
    );
  try {
    parseSites(readFileSync(file, "utf8"), file);
  } catch (error) {
    if (error instanceof SitesRefused) throw usageError(`${error.message}.`);
    throw error;
  }
  return file;
}
