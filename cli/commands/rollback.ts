import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Api, isPassing } from "../api.ts";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { durationOption } from "../duration.ts";
import { type Environment, environmentName, resolveEnvironment, whereabouts } from "../environment.ts";
import { CliError, type ExitCode, exit, usageError } from "../failure.ts";
import { name, planTable, type RollbackPlan, tookDown } from "../rollback-plan.ts";
import { plain, table } from "../terminal.ts";

type Options = {
  readonly site?: string;
  readonly env?: string;
  readonly reason?: string;
  readonly timeout?: string;
  readonly force?: boolean;
  readonly yes?: boolean;
};

/** Brings a release live again that was live before, without building; waits until it is. */
export const rollbackCommand: Register = (program, run) =>
  void program
    .command("rollback")
    .description("go back to a release that was live before, and pin the environment")
    .argument("[id]", "the deployment to go back to, or <site>/<environment>; default: what was live before, and was not taken down")
    .option("--site <site>", "default: the only site")
    .option("--env <environment>", 'default: the only environment, else "production"')
    .option("--reason <text>", "kept in the audit trail and shown as the reason of the pin")
    .option("--force", "go live whatever the release answers when it is tried; the trail says so")
    .option("--timeout <duration>", "stop waiting after for example 2m; the rollback goes on")
    .option("-y, --yes", "do not ask")
    .action((id: string | undefined, options: Options) => run((context) => rollback(context, id, options)));

async function rollback(context: Context, id: string | undefined, options: Options): Promise<ExitCode> {
  const timeout = options.timeout === undefined ? undefined : durationOption("--timeout", options.timeout);
  const api = context.api();
  const before = await environmentOf(api, id, options);
  const place = environmentName(before);
  const plan = await planOf(api, before, id);
  context.terminal.note(planTable(plan, Date.now()));
  if (plan.already !== "live")
    await confirm(
      context,
      `Roll ${place} back from ${name(plan.from)} to ${name(plan.to)}?${options.force ? " By force." : ""}`,
      options.yes,
    );

  const asked = { to: plan.to.deploymentId, from: plan.from.deploymentId, reason: options.reason, force: options.force };
  const started = await api.rollback(before.site, before.environment, asked, randomUUID());
  if (started.alreadyLive) return printAlreadyLive(context, before, started);
  context.terminal.live(`rolling ${place} back to ${started.deploymentId}`);
  try {
    const { unproven } = await untilLive(api, before, started, context.signal, timeout);
    print(context, before, started, unproven);
    await tellOfOpenPages(context, api, before);
    return exit.reached;
  } finally {
    context.terminal.live(null);
  }
}

/** With an id, its own environment; it must agree with what else was given. */
async function environmentOf(api: Api, id: string | undefined, options: Options): Promise<Environment> {
  if (id === undefined || id.includes("/")) return resolveEnvironment(api, whereabouts(id, options));
  const { site, environment } = (await api.deployment(id)).deployment;
  if ((options.site ?? site) !== site || (options.env ?? environment) !== environment)
    throw usageError(`${id} was deployed to ${site}/${environment}, not to ${options.site ?? site}/${options.env ?? environment}.`);
  return api.environment(site, environment);
}

/** @throws CliError (conflict) where there is nothing to go back to */
async function planOf(api: Api, before: Environment, id: string | undefined): Promise<RollbackPlan> {
  const { site, environment } = before;
  const to = id === undefined || id.includes("/") ? undefined : id;
  const { plan, refusal } = await api.rollbackPlan(site, environment, to);
  if (plan !== null) return plan;
  const undone = to === undefined ? tookDown(before) : undefined;
  const because = refusal === null ? "" : `: ${plain(refusal.message)}`;
  throw new CliError(exit.conflict, refusal?.code ?? "rollback.nothing", `${site}/${environment} cannot be rolled back${because}.`, {
    next: `${undone === undefined ? "" : `To undo the rollback before:  shiplog rollback ${undone}\n`}See what was deployed:  shiplog list --site ${site} --env ${environment}`,
  });
}

type Started = Awaited<ReturnType<Api["rollback"]>>;

/** Returns when every alias was read back, with what is not proven of it. @throws CliError: failed, stopped (superseded), timeout, interrupted */
async function untilLive(
  api: Api,
  { site, environment }: Environment,
  started: Started,
  signal: AbortSignal,
  timeout: number | undefined,
): Promise<{ unproven: string | undefined }> {
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
        if (type === "ReleaseWentLive") return { unproven: typeof body.unproven === "string" ? body.unproven : undefined };
        if (type === "FlipFailed") throw flipFailed(place, started, body);
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

const flipFailed = (place: string, { deploymentId }: Started, body: Readonly<Record<string, unknown>>): CliError =>
  new CliError(exit.failed, "flip.failed", `${place} could not be rolled back to ${deploymentId}: ${plain(String(body.reason))}`, {
    next:
      body.unfit === true
        ? `What was live is live. The next rollback passes it over:  shiplog rollback ${place}\nWhatever it answers when it is tried:  shiplog rollback ${deploymentId} --force`
        : `What was live is live. See why, and what is pinned:  shiplog status ${place}`,
  });

const documentOf = (before: Environment, started: Started) => ({
  site: before.site,
  environment: before.environment,
  url: before.url,
  liveBefore: before.live?.deploymentId ?? null,
  liveAfter: started.deploymentId,
  sequence: started.sequence,
  alreadyLive: started.alreadyLive,
});

function printAlreadyLive({ terminal, json }: Context, before: Environment, started: Started): ExitCode {
  if (json) terminal.document(documentOf(before, started));
  else terminal.result(`${started.deploymentId} is live in ${environmentName(before)} already: nothing was changed.`);
  return exit.reached;
}

function print({ terminal, json }: Context, before: Environment, started: Started, unproven: string | undefined): void {
  const place = environmentName(before);
  const document = documentOf(before, started);
  const { liveBefore } = document;
  if (json) terminal.document({ ...document, unproven: unproven ?? null });
  else
    terminal.result(
      table([
        ["where", place],
        ["live", `${liveBefore ?? "nothing"} → ${started.deploymentId} (#${started.sequence})`],
        ["url", before.url],
        ["pinned", "later deployments are built and then wait"],
        ...(unproven === undefined ? [] : [["unproven", plain(unproven)]]),
      ]),
    );
  if (liveBefore !== null && liveBefore !== started.deploymentId)
    terminal.note(`To undo the rollback:        shiplog rollback ${liveBefore}`);
  terminal.note(`To let deployments go live:  shiplog unpin ${place}`);
}

/** Documents are of the release at once; what a page that was open before asks for still goes to its own. */
async function tellOfOpenPages({ terminal }: Context, api: Api, { site, environment, live }: Environment): Promise<void> {
  // the rollback is done, whatever this says
  const after = await api.environment(site, environment).catch(() => undefined);
  const left = after?.routes.find(({ deploymentId, until }) => deploymentId === live?.deploymentId && until !== null);
  if (left?.until && Date.parse(left.until) > Date.now())
    terminal.note(
      `Pages that are open reach ${left.deploymentId} until ${left.until}. To end that:  shiplog skew cut ${left.deploymentId}`,
    );
}
