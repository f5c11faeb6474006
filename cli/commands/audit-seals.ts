import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Context, Run } from "../context.ts";
import { exportSeals } from "../export-seals.ts";
import { type ExitCode, exit, usageError } from "../failure.ts";
import { PUBLIC_KEY, showVerified, timeOf, verifyExport } from "../verify-export.ts";

/** `shiplog audit seal|export|verify`: the log's tamper evidence. */
export const sealCommands = (audit: Command, run: Run): void => {
  const help = audit.createHelp();
  const subcommand = (name: string): Command =>
    audit.command(name).configureHelp({ ...audit.configureHelp(), visibleGlobalOptions: () => help.visibleGlobalOptions(audit) });
  // commander takes the trail's options with a subcommand too, before its name and behind it
  audit.hook("preSubcommand", refuseOptionsOf);

  subcommand("seal")
    .description("seal what is in no seal, signed with the key that is kept apart from it")
    .action(() => run(seal));
  subcommand("export")
    .description("write all sealed history into a folder, to be verified anywhere")
    .requiredOption("--out <folder>", "an empty or new folder")
    .action(({ out }: { out: string }) => run((context) => exportTo(context, out)));
  subcommand("verify")
    .description("verify sealed history: an exported folder offline, or what the engine has")
    .argument("[folder]", "what `shiplog audit export` wrote")
    .option("--key <file>", "the public key that you trust (PEM); default the one beside the seals")
    .action((folder: string | undefined, { key }: { key?: string }) => run((context) => verifyAll(context, folder, key)));
};

/** Sealed history is whole: who narrows an export and gets everything would take it for what was asked for. */
function refuseOptionsOf(audit: Command, subcommand: Command): void {
  const said = audit.options.filter((option) => audit.getOptionValueSource(option.attributeName()) === "cli");
  if (said.length === 0) return;
  const names = new Intl.ListFormat("en").format(said.map(({ long }) => String(long)));
  throw usageError(
    `\`shiplog audit ${subcommand.name()}\` does not take ${names}: it is about the whole log.`,
    `Leave it out, or narrow the trail itself:  shiplog audit ${said.map(({ flags }) => flags).join(" ")}`,
  );
}

async function seal({ api: open, terminal, json }: Context): Promise<undefined> {
  const sealed = await open().seal(randomUUID());
  if (json) terminal.document({ sealed });
  else if (sealed === null) terminal.note("Nothing to seal: everything is in a seal.");
  else terminal.result(`seal ${sealed.number}: ${sealed.count} commits${stretch(sealed)}`);
  return undefined;
}

const stretch = ({ first, last }: { readonly first: string | null; readonly last: string | null }): string =>
  first === null || last === null ? "" : `, from ${timeOf(first)} to ${timeOf(last)}`;

async function exportTo({ api: open, terminal, json }: Context, out: string): Promise<undefined> {
  const folder = resolve(out);
  const found = await readdir(folder).catch(() => []);
  if (found.length > 0)
    throw usageError(`${folder} is not empty: what is there would be taken for part of the export.`, "Name a new folder.");
  const { count } = await exportSeals(open(), folder);
  if (json) terminal.document({ folder, seals: count });
  else
    terminal.result(
      `${count === 1 ? "1 seal and its segment are" : `${count} seals and their segments are`} in ${folder}. Verify with:  shiplog audit verify ${out} --key <the key that you trust>`,
    );
  return undefined;
}

async function verifyAll(
  { api: open, terminal, json }: Context,
  folder: string | undefined,
  keyFile: string | undefined,
): Promise<ExitCode> {
  const scratch = folder === undefined ? await mkdtemp(join(tmpdir(), "shiplog-verify-")) : undefined;
  try {
    const unsealed = scratch === undefined ? null : (await exportSeals(open(), scratch)).unsealed;
    const place = resolve(folder ?? scratch ?? "");
    const key = await readFile(keyFile ?? join(place, PUBLIC_KEY), "utf8").catch(() => undefined);
    if (key === undefined)
      throw usageError(`There is no public key in ${keyFile ?? join(place, PUBLIC_KEY)}.`, "Name the one that you trust with --key.");
    const verified = await verifyExport(place, key);
    if (json) terminal.document(scratch === undefined ? verified : { ...verified, unsealed });
    else terminal.result(showVerified(verified));
    if (!json && unsealed !== null && unsealed.commits > 0)
      terminal.note(`In no seal: ${unsealed.commits} commits, the oldest of ${unsealed.since}. Seal them:  shiplog audit seal`);
    return verified.fault === null ? exit.reached : exit.failed;
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}
