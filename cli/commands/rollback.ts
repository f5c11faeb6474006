import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Api, isPassing } from "../api.ts";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { durationOption, showAge } from "../duration.ts";
import { CliError, type ExitCode, exit, usageError } from "../failure.ts";
import { type Environment, placeName, resolvePlace } from "../place.ts";
import { rollbackTarget } from "../rollback-target.ts";
import { plain, table } from "../terminal.ts";

type Options = {
  readonly site?: string;
  readonly env?: string;
  readonly reason?: string;
  readonly timeout?: string;
  readonly yes?: boolean;
};

/** Brings a release live again that was live before, without building; waits until it is. */
export const rollbackCommand: Register = (program, run) =>
  void program
    .command("rollback")
    .description("go back to a release that was live before, and pin the environment")
    .argument("[id]", "the deployment to go back to; default: the one before what is live now")
    .option("--site <site>", "default: the only site")
    .option("--env <environment>", 'default: the only environment, else "production"')
    .option("--reason <text>", "kept in the audit trail and shown as the reason of the pin")
    .option("--timeout <duration>", "stop waiting after for example 2m; the rollback goes on")
    .option("-y, --yes", "do not ask")
    .action((id: string | undefined, options: Options) => run((context) => rollback(context, id, options)));

async function rollback(context: Context, id: string | undefined, options: Options): Promise<ExitCode> {
  const timeout = options.timeout === undefined ? undefined : durationOption("--timeout", options.timeout);
  const api = context.api();
  const before = await placeOf(api, id, options);
  const place = placeName(before);
  const target = id === undefined ? rollbackTarget(before)?.deploymentId : (await api.deployment(id)).deployment.id;
  if (target === undefined)
    throw new CliError(exit.conflict, "rollback.nothing", `${place} cannot be rolled back: nothing older was ever live there.`, {
      next: `See what was deployed:  shiplog list --site ${before.site} --env ${before.environment}`,
    });

  await confirm(
    context,
    `Roll ${place} back from ${describe(before, before.live?.deploymentId)} to ${describe(before, target)}?`,
    options.yes,
  );

  const started = await api.rollback(before.site, before.environment, { to: target, reason: options.reason }, randomUUID());
  if (!started.alreadyLive) {
    context.terminal.live(`rolling ${place} back to ${target}`);
    try {
      await untilLive(api, before, started, context.signal, timeout);
    } finally {
      context.terminal.live(null);
    }
  }
  return print(context, before, started);
}

/** With an id, its own environment; it must agree with what else was said. */
async function placeOf(api: Api, id: string | undefined, options: Options): Promise<Environment> {
  if (id === undefined) return resolvePlace(api, options);
  if (id.includes("/")) throw usageError(`"${id}" is not the id of a deployment.`, "Say where with --site and --env.");
  const { site, environment } = (await api.deployment(id)).deployment;
  if ((options.site ?? site) !== site || (options.env ?? environment) !== environment)
    throw usageError(`${id} was deployed to ${site}/${environment}, not to ${options.site ?? site}/${options.env ?? environment}.`);
  return api.environment(site, environment);
}

/** `dep_01J… (#3, live 2h ago)` */
function describe(environment: Environment, id: string | undefined): string {
  if (id === undefined) return "nothing";
  const past = [environment.live, ...environment.history].find((entry) => entry?.deploymentId === id);
  return past ? `${id} (#${past.sequence}, went live ${showAge(past.at, Date.now())} by ${plain(past.actor)})` : id;
}

type Started = Awaited<ReturnType<Api["rollback"]>>;

/** Returns when every alias was read back. @throws CliError: failed, stopped (superseded), timeout, interrupted */
async function untilLive(api: Api, { site, environment }: Environment, started: Started, signal: AbortSignal, timeout: number | undefined) {
  const place = `${site}/${environment}`;
  const next = `It goes on. See how it stands:  shiplog status ${place}`;
  const deadline = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout;
  let heard = Date.now();
  for (let after = started.version; ; ) {
    try {
      const page = await api.environmentEvents(site, environment, after);
      heard = Date.now();
      after = page.version;
      // read loosely: an engine of another version may have added to the event what this CLI does not know
      for (const { type, body } of page.events.filter((event) => event.body.sequence === started.sequence)) {
        if (type === "ReleaseWentLive") return;
        if (type === "FlipFailed")
          throw new CliError(
            exit.failed,
            "flip.failed",
            `${place} could not be rolled back to ${started.deploymentId}: ${plain(String(body.reason))}`,
            {
              next: `See what is live now:  shiplog status ${place}`,
            },
          );
        if (type === "FlipSuperseded")
          throw new CliError(exit.stopped, "flip.superseded", `The rollback of ${place} was overtaken by #${body.by}.`, {
            next: `See what is live now:  shiplog status ${place}`,
          });
      }
      await sleep(Math.max(1, Math.min(300, deadline - Date.now())), undefined, { signal });
    } catch (error) {
      if (signal.aborted) throw new CliError(exit.interrupted, "interrupted", `Stopped watching the rollback of ${place}.`, { next });
      if (!isPassing(error) || Date.now() - heard > 60_000) throw error;
    }
    if (Date.now() >= deadline)
      throw new CliError(exit.timeout, "timeout", `The rollback of ${place} did not finish within ${timeout as number} ms.`, { next });
  }
}

function print({ terminal, json }: Context, before: Environment, started: Started): ExitCode {
  const place = placeName(before);
  const liveBefore = before.live?.deploymentId ?? null;
  const document = { site: before.site, environment: before.environment, url: before.url, liveBefore, liveAfter: started.deploymentId };
  if (json) terminal.document({ ...document, sequence: started.sequence, alreadyLive: started.alreadyLive });
  else if (started.alreadyLive) terminal.result(`${started.deploymentId} is live in ${place} already: nothing was changed.`);
  else
    terminal.result(
      table([
        ["where", place],
        ["live", `${liveBefore ?? "nothing"} → ${started.deploymentId} (#${started.sequence})`],
        ["url", before.url],
        ["pinned", "later deployments are built and then wait"],
      ]),
    );
  if (started.alreadyLive) return exit.reached;
  if (liveBefore !== null) terminal.note(`To undo the rollback:        shiplog rollback ${liveBefore}`);
  terminal.note(`To let deployments go live:  shiplog unpin ${place}`);
  return exit.reached;
}
