import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { CliError, type ExitCode, exit } from "../failure.ts";
import { type Change, type InitPlan, planInit } from "../init-plan.ts";
import { findApp } from "../next-app.ts";
import { CLI_PACKAGE } from "../package-name.ts";
import { planDocument, showPlan } from "../show-plan.ts";
import { SITES_FILE } from "../site-sources.ts";

type Options = { readonly yes?: boolean; readonly dryRun?: boolean; readonly install?: boolean };

/** Writes what an app lacks to be deployed, after it has shown it. */
export const initCommand: Register = (program, run) =>
  void program
    .command("init")
    .description("write what an app lacks to be deployed, after showing it")
    .argument("[dir]", "folder of the Next.js app", ".")
    .option("-y, --yes", "do not ask")
    .option("--dry-run", "show it, and write nothing")
    .option("--install", "install what was added, too")
    .action((folder: string, options: Options) => run((context) => init(context, folder, options)));

async function init(context: Context, folder: string, { yes, dryRun, install }: Options): Promise<ExitCode> {
  const { terminal, json } = context;
  const app = await findApp(folder);
  const plan = await planInit(app, CLI_PACKAGE);
  const installs = install === true && dryRun !== true ? plan.install : undefined;
  const next = nextOf(installs === undefined ? plan : { ...plan, install: undefined }, app);
  if (!json) showPlan(context, plan);
  if (dryRun) terminal.note(plan.changes.length === 0 ? nothing(plan) : "Nothing was written (--dry-run).");
  else {
    if (plan.changes.length > 0) await confirm(context, `Write ${count(plan)}?`, yes);
    for (const change of plan.changes) await write(change);
    terminal.note(plan.changes.length === 0 ? nothing(plan) : `Wrote ${count(plan)}.`);
  }
  if (installs !== undefined) await runInstall(context, installs);
  if (json) terminal.document({ ...planDocument(plan, next), written: dryRun !== true });
  else for (const line of next) terminal.note(line);
  return exit.reached;
}

const nothing = ({ kept }: InitPlan): string => (kept.length === 0 ? "Nothing to write: everything is there." : "Nothing was written.");
const count = ({ changes }: InitPlan): string => (changes.length === 1 ? "this file" : `these ${changes.length} files`);

/** @throws CliError where somebody else wrote the file meanwhile */
async function write({ path, before, after }: Change): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const now = await readFile(path, "utf8").catch(() => undefined);
  if (now !== before)
    throw new CliError(exit.conflict, "file.changed", `${path} was changed while it was shown, so it was not written.`, {
      next: "Run `shiplog init` again: what is written already it leaves as it is.",
    });
  await writeFile(path, after);
}

/** Everything that it prints is for the person: it goes where notes go. @throws CliError */
async function runInstall({ terminal, signal }: Context, { folder, command }: NonNullable<InitPlan["install"]>): Promise<void> {
  terminal.note(`${command} …`);
  const [manager = "", ...words] = command.split(" ");
  const why = await new Promise<string | undefined>((resolve) => {
    spawn(manager, words, { cwd: folder, stdio: ["inherit", 2, 2], signal })
      .on("error", ({ message }) => resolve(message))
      .on("close", (code, ended) => resolve(code === 0 ? undefined : (ended ?? `it ended with ${code}`)));
  });
  if (signal.aborted) signal.throwIfAborted();
  if (why === undefined) return;
  throw new CliError(exit.failed, "install.failed", `\`${command}\` in ${folder} did not work: ${why}. What init wrote stays.`, {
    next: "See what it printed, mend that, and run it again by hand.",
  });
}

function nextOf({ install, sitesFile, access }: InitPlan, app: string): string[] {
  const at = install === undefined ? "" : relative(process.cwd(), install.folder);
  const where = relative(process.cwd(), app) || ".";
  const sites = relative(process.cwd(), sitesFile);
  return [
    ...(install === undefined ? [] : [`Install first${at === "" ? "" : `, in ${at}`}:  ${install.command}`]),
    // the file of the working folder is found without its name
    `Next:  shiplog dev${sites === SITES_FILE ? "" : ` --sites ${sites}`}`,
    `       shiplog deploy ${where}      in another terminal`,
    ...access,
  ];
}
