import { randomUUID } from "node:crypto";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { momentOption, showAge } from "../duration.ts";
import { environmentName, resolveEnvironment, type Whereabouts, whereabouts } from "../environment.ts";
import { printEnvironment } from "../environment-change.ts";
import { plain } from "../terminal.ts";

type LockOptions = Whereabouts & { readonly reason: string; readonly until?: string };
type UnlockOptions = Whereabouts & { readonly reason?: string; readonly force?: boolean; readonly yes?: boolean };

/** Locks an environment for one's own work: everybody else is refused until it is unlocked. */
export const lockCommand: Register = (program, run) =>
  void program
    .command("lock")
    .description("refuse everybody else's deployments and rollbacks")
    .argument("[place]", "<site>/<environment>; default: the only one, or production")
    .option("--site <site>")
    .option("--env <environment>")
    .requiredOption("--reason <text>", "shown to everyone who is refused")
    .option("--until <time>", "ends by itself: a time (2026-11-23T18:00:00Z) or from now (2h)")
    .action((place: string | undefined, options: LockOptions) => run((context) => lock(context, place, options)));

/** Unlocks an environment; another person's lock only with --force. */
export const unlockCommand: Register = (program, run) =>
  void program
    .command("unlock")
    .description("take the lock away")
    .argument("[place]", "<site>/<environment>; default: the only one, or production")
    .option("--site <site>")
    .option("--env <environment>")
    .option("--reason <text>", "kept in the audit trail")
    .option("--force", "also where somebody else holds it")
    .option("-y, --yes", "do not ask (--force asks)")
    .action((place: string | undefined, options: UnlockOptions) => run((context) => unlock(context, place, options)));

async function lock(context: Context, given: string | undefined, options: LockOptions): Promise<undefined> {
  const until = options.until === undefined ? undefined : momentOption("--until", options.until, Date.now(), "from now");
  const api = context.api();
  const { site, environment } = await resolveEnvironment(api, whereabouts(given, options));
  const after = await api.change(site, environment, "lock", { reason: options.reason, until }, randomUUID());
  printEnvironment(context, after, `${environmentName(after)} is locked${until === undefined ? "" : ` until ${until}`}.`);
  context.terminal.note(`To unlock it:  shiplog unlock ${environmentName(after)}`);
}

async function unlock(
  context: Context,
  given: string | undefined,
  { reason, force = false, yes, ...where }: UnlockOptions,
): Promise<undefined> {
  const api = context.api();
  const before = await resolveEnvironment(api, whereabouts(given, where));
  const { lock: held } = before;
  if (force && held !== null) {
    await confirm(context, `Take the lock of ${environmentName(before)} from ${plain(held.holder)} ("${plain(held.reason)}")?`, yes);
  }
  const after = await api.change(before.site, before.environment, "unlock", { reason, force }, randomUUID());
  printEnvironment(
    context,
    after,
    held === null
      ? `${environmentName(after)} was not locked: nothing was changed.`
      : `${environmentName(after)} is no longer locked; ${plain(held.holder)} had locked it ${showAge(held.at, Date.now())}: ${plain(held.reason)}`,
  );
  if (held !== null && before.waiting !== null && before.pin === null)
    context.terminal.note(`${before.waiting.deploymentId} waited and goes live now. See it:  shiplog status ${environmentName(after)}`);
}
