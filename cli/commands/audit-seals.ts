import { randomUUID } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { counted } from "../../domain/kernel/counted.ts";
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
    .description("verify the log: an exported folder offline, or all that the engine's account has, row by row")
    .argument("[folder]", "what `shiplog audit export` wrote")
    .option("--key <file>", "the public key that you trust (PEM); default the one beside the seals, or the account's")
    .action((folder: string | undefined, { key }: { key?: string }) => run((context) => verify(context, folder, key)));
};

/** Sealed history is whole: who narrows an export and gets everything would take it for what was asked for. */
function refuseOptionsOf(audit: Command, subcommand: Command): void {
  const given = audit.options.filter((option) => audit.getOptionValueSource(option.attributeName()) === "cli");
  if (given.length === 0) return;
  const names = new Intl.ListFormat("en").format(given.map(({ long }) => String(long)));
  throw usageError(
    `\`shiplog audit ${subcommand.name()}\` does not take ${names}: it is about the whole log.`,
    `Leave it out, or narrow the trail itself:  shiplog audit ${given.map(({ flags }) => flags).join(" ")}`,
  );
}

async function seal({ api: open, terminal, json }: Context): Promise<undefined> {
  const sealed = await open().seal(randomUUID());
  if (json) terminal.document({ sealed });
  else if (sealed === null) terminal.note("Nothing to seal: everything is in a seal.");
  else terminal.result(`seal ${sealed.number}: ${counted(sealed.count, "commit")}${stretch(sealed)}`);
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

async function verify(context: Context, folder: string | undefined, keyFile: string | undefined): Promise<ExitCode> {
  const trusted = keyFile === undefined ? undefined : await keyIn(keyFile);
  if (folder !== undefined) return verifyFolder(context, resolve(folder), trusted);
  // AWS's clients take longer to load than most commands run
  const { verification } = await import("../verification.ts");
  return verification(context, trusted);
}

async function verifyFolder({ terminal, json }: Context, folder: string, trusted: string | undefined): Promise<ExitCode> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw usageError(
      `${found === undefined ? "There is no folder" : "This is no folder:"} ${folder}.`,
      "Name what `shiplog audit export` wrote.",
    );
  const verified = await verifyExport(folder, trusted ?? (await keyIn(join(folder, PUBLIC_KEY))));
  if (json) terminal.document(verified);
  else terminal.result(showVerified(verified));
  return verified.fault === null ? exit.reached : exit.failed;
}

async function keyIn(file: string): Promise<string> {
  const key = await readFile(file, "utf8").catch(() => undefined);
  if (key === undefined) throw usageError(`There is no public key in ${file}.`, "Name the one that you trust with --key.");
  return key;
}
