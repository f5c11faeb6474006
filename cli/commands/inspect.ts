import { sayGoes } from "../../domain/environment/keep.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import type { Api } from "../api.ts";
import type { Context, Register } from "../context.ts";
import { showAge, showDuration } from "../duration.ts";
import { type Environment, environmentName } from "../environment.ts";
import { factsOf, type LoggedEvent } from "../event-facts.ts";
import { plain, table } from "../terminal.ts";

/** Shows everything about one deployment, with its timeline. */
export const inspectCommand: Register = (program, run) =>
  void program
    .command("inspect")
    .description("everything about one deployment, with its timeline")
    .argument("<id>", "the deployment; a unique beginning of its id is enough")
    .action((id: string) => run((context) => inspect(context, id)));

async function inspect({ api: open, terminal, json }: Context, id: string): Promise<undefined> {
  const api = open();
  const { deployment, progress } = await api.deployment(id);
  const [environment, timeline] = await Promise.all([
    api.environment(deployment.site, deployment.environment),
    timelineOf(api, deployment),
  ]);
  const live = environment.live?.deploymentId === deployment.id;
  const rolledBack =
    (!live && environment.takenDown.find(({ deploymentId, wasLive }) => wasLive && deploymentId === deployment.id)) || null;
  if (json) return void terminal.document({ deployment, progress, live, rolledBack, events: timeline });

  terminal.result(table(describe(deployment, { live, rolledBack }, environment.url, Date.now())));
  if (progress !== null) terminal.result(`\nNow: ${progress.step}, ${progress.done} of ${progress.total}`);
  terminal.result(`\nTimeline\n${table(timeline.map((event, index) => row(event, timeline[index - 1], timeline[0])))}`);
}

/** The deployment's own events, and those of its environment that are about it, in the order of the log. */
async function timelineOf(api: Api, deployment: DeploymentView): Promise<readonly LoggedEvent[]> {
  const { site, environment, id, queuedAt } = deployment;
  // admitted a moment before it was queued
  const since = new Date(Date.parse(queuedAt) - 10_000).toISOString();
  const [own, log] = await Promise.all([api.deploymentEvents(id, 0), api.log({ since, site, environment, limit: 1_000 })]);
  const about = log.events.filter(({ stream, body }) => stream.startsWith("environment/") && body.deploymentId === id);
  return [...own.events, ...about].sort((a, b) => (a.position === b.position ? a.index - b.index : a.position < b.position ? -1 : 1));
}

type Fate = { readonly live: boolean; readonly rolledBack: Environment["takenDown"][number] | null };

function describe(deployment: DeploymentView, { live, rolledBack }: Fate, url: string, now: number): [string, string][] {
  const { commit, release } = deployment;
  const rows: [string, string | null | undefined][] = [
    ["id", deployment.id],
    ["where", `${environmentName(deployment)} #${deployment.sequence}`],
    ["status", `${deployment.status}${live ? " (live)" : ""}, since ${showAge(deployment.since, now)}`],
    [
      "rolled back",
      rolledBack &&
        `by ${rolledBack.by} ${showAge(rolledBack.at, now)} to ${rolledBack.to} (#${rolledBack.rollback})${rolledBack.why === null ? "" : `: ${rolledBack.why}`}`,
    ],
    ["swept", deployment.swept && `${showAge(deployment.swept.at, now)}: ${sayGoes(deployment.swept.rule, deployment.swept.keep)}`],
    ["step", deployment.step],
    ["reason", deployment.reason],
    ["url", live ? url : null],
    ["asked by", `${deployment.actor} (${deployment.trigger}) ${showAge(deployment.queuedAt, now)}`],
    ["why", deployment.why],
    ["commit", commit && `${commit.sha}${commit.branch ? ` (${commit.branch})` : ""}${commit.dirty ? " with changes" : ""}`],
    ["message", commit?.message],
    ["author", commit?.author],
    ["retry of", deployment.retryOf],
    ["build", deployment.reusedFrom === null ? deployment.buildId : `${deployment.buildId ?? ""} (of ${deployment.reusedFrom})`],
    ["build logs", deployment.logs],
    ["whole log", deployment.status === "failed" && deployment.step === "build" ? `shiplog logs ${deployment.id}` : null],
    ["artifact", deployment.artifact && `${deployment.artifact.bucket}/${deployment.artifact.key}`],
    ["release", deployment.releaseId],
    ...(release?.functions ?? []).map(({ role, name, version }): [string, string] => [role, `${name}:${version}`]),
    ["variables", Object.keys(deployment.variables.published ?? deployment.variables.built ?? {}).join(", ")],
    ...deployment.warnings.map((warning): [string, string] => ["warning", warning]),
    ["took", deployment.endedAt && showDuration(Date.parse(deployment.endedAt) - Date.parse(deployment.queuedAt))],
  ];
  return rows.flatMap(([name, text]) => (text ? [[name, plain(text)] as [string, string]] : []));
}

/** Time, since the one before, since the first, type, who, facts. */
const row = (event: LoggedEvent, before: LoggedEvent | undefined, first: LoggedEvent | undefined): string[] => [
  `  ${event.at}`,
  before === undefined ? "" : `+${showDuration(Date.parse(event.at) - Date.parse(before.at))}`,
  first === undefined || first === event ? "" : showDuration(Date.parse(event.at) - Date.parse(first.at)),
  event.type,
  plain(event.actor),
  plain(factsOf(event)),
];
