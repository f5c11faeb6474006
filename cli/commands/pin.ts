import { randomUUID } from "node:crypto";
import type { Context, Register } from "../context.ts";
import { showAge } from "../duration.ts";
import { type Environment, environmentName, resolveEnvironment, type Whereabouts, whereabouts } from "../environment.ts";
import { printEnvironment } from "../environment-change.ts";
import { plain } from "../terminal.ts";

type Options = Whereabouts & { readonly reason?: string };

/** Pins an environment: what is live stays live, and deployments are built and then wait. */
export const pinCommand: Register = (program, run) =>
  void program
    .command("pin")
    .description("keep what is live: deployments are built and then wait")
    .argument("[place]", "<site>/<environment>; default: the only one, or production")
    .option("--site <site>")
    .option("--env <environment>")
    .requiredOption("--reason <text>", "shown to everyone whose deployment waits")
    .action((place: string | undefined, options: Options & { reason: string }) => run((context) => pin(context, place, options)));

/** Takes the pin away: the newest deployment that waits goes live. */
export const unpinCommand: Register = (program, run) =>
  void program
    .command("unpin")
    .description("let deployments go live again, beginning with the one that waits")
    .argument("[place]", "<site>/<environment>; default: the only one, or production")
    .option("--site <site>")
    .option("--env <environment>")
    .option("--reason <text>", "kept in the audit trail")
    .action((place: string | undefined, options: Options) => run((context) => unpin(context, place, options)));

async function pin(context: Context, given: string | undefined, options: Options & { reason: string }): Promise<undefined> {
  const api = context.api();
  const before = await resolveEnvironment(api, whereabouts(given, options));
  const after = await api.change(before.site, before.environment, "pin", { reason: options.reason }, randomUUID());
  printEnvironment(context, after, pinned(before, after));
  context.terminal.note(`To let them go live:  shiplog unpin ${environmentName(after)}`);
}

/** A place is pinned once: a second pin changes nothing, not the reason either. */
const pinned = ({ pin: held }: Environment, after: Environment): string =>
  held !== null && after.pin?.at === held.at
    ? `${environmentName(after)} was pinned already, by ${plain(held.actor)} ${showAge(held.at, Date.now())}: ${plain(held.reason)}; nothing was changed.`
    : `${environmentName(after)} is pinned: deployments are built and then wait.`;

async function unpin(context: Context, given: string | undefined, options: Options): Promise<undefined> {
  const api = context.api();
  const before = await resolveEnvironment(api, whereabouts(given, options));
  const after = await api.change(before.site, before.environment, "unpin", { reason: options.reason }, randomUUID());
  const { pin: held } = before;
  printEnvironment(
    context,
    after,
    held === null
      ? `${environmentName(after)} was not pinned: nothing was changed.`
      : `${environmentName(after)} is no longer pinned; ${plain(held.actor)} had pinned it ${showAge(held.at, Date.now())}: ${plain(held.reason)}`,
  );
  if (held !== null && before.waiting !== null)
    context.terminal.note(`${before.waiting.deploymentId} waited and goes live now. See it:  shiplog status ${environmentName(after)}`);
}
