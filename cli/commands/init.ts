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

type Options = { readonly yes?: boolean; readonly dryRun?: boolean };

/** Writes what an app lacks to be deployed, after it has shown it. */
export const initCommand: Register = (program, run) =>
  void program
    .command("init")
    .description("write what an app lacks to be deployed, after showing it")
    .argument("[dir]", "folder of the Next.js app", ".")
    .option("-y, --yes", "do not ask")
    .option("--dry-run", "show it, and write nothing")
    .action((folder: string, options: Options) => run((context) => init(context, folder, options)));

async function init(context: Context, folder: string, { yes, dryRun }: Options): Promise<ExitCode> {
  const { terminal, json } = context;
  const app = await findApp(folder);
  const plan = await planInit(app, CLI_PACKAGE);
  const next = nextOf(plan, app);
  if (!json) showPlan(context, plan);
  if (dryRun) terminal.note(plan.changes.length === 0 ? nothing(plan) : "Nothing was written (--dry-run).");
  else {
    if (plan.changes.length > 0) await confirm(context, `Write ${count(plan)}?`, yes);
    for (const change of plan.changes) await write(change);
    terminal.note(plan.changes.length === 0 ? nothing(plan) : `Wrote ${count(plan)}.`);
  }
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
