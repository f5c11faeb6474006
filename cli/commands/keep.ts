import { randomUUID } from "node:crypto";
import type { Context, Register } from "../context.ts";
import { showAge } from "../duration.ts";
import { environmentName } from "../environment.ts";
import { printEnvironment } from "../environment-change.ts";
import { plain } from "../terminal.ts";

/** Keeps a release by name: the sweep leaves it, however old it is. */
export const keepCommand: Register = (program, run) =>
  void program
    .command("keep")
    .description("keep a release, however old it is, until it is unkept")
    .argument("<release>", "the release, by its deployment")
    .requiredOption("--reason <text>", "shown to whoever looks at what is kept")
    .action((id: string, options: { reason: string }) => run((context) => keep(context, id, options.reason)));

/** Leaves a release to the rules again. */
export const unkeepCommand: Register = (program, run) =>
  void program
    .command("unkeep")
    .description("leave a release to the rules again: it goes when nothing else keeps it")
    .argument("<release>", "the release, by its deployment")
    .option("--reason <text>", "kept in the audit trail")
    .action((id: string, options: { reason?: string }) => run((context) => unkeep(context, id, options.reason)));

async function change(context: Context, given: string, verb: "keep" | "unkeep", reason: string | undefined) {
  const api = context.api();
  const { id, site, environment } = (await api.deployment(given)).deployment;
  const before = (await api.environment(site, environment)).kept.find(({ deploymentId }) => deploymentId === id);
  const after = await api.keepRelease(site, environment, id, verb, reason, randomUUID());
  return { id, before, after, place: environmentName(after) };
}

async function keep(context: Context, given: string, reason: string): Promise<undefined> {
  const { id, before, after, place } = await change(context, given, "keep", reason);
  printEnvironment(
    context,
    after,
    before === undefined
      ? `${id} of ${place} is kept: no sweep takes it.`
      : `${id} of ${place} was kept already, by ${plain(before.actor)} ${showAge(before.at, Date.now())}: ${plain(before.reason)}; nothing was changed.`,
  );
  context.terminal.note(`To leave it to the rules again:  shiplog unkeep ${id}`);
}

async function unkeep(context: Context, given: string, reason: string | undefined): Promise<undefined> {
  const { id, before, after, place } = await change(context, given, "unkeep", reason);
  printEnvironment(
    context,
    after,
    before === undefined
      ? `Nobody kept ${id} of ${place} by name: nothing was changed.`
      : `${id} of ${place} is no longer kept by name; ${plain(before.actor)} had kept it ${showAge(before.at, Date.now())}: ${plain(before.reason)}`,
  );
  context.terminal.note(`Whether something else keeps it:  shiplog gc ${place} --explain ${id}`);
}
