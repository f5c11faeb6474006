import type { GitCommit } from "../deployment/shapes.ts";
import type { EnvironmentEvent } from "../environment/events.ts";
import type { Recorded } from "../kernel/event.ts";
import { siteOf } from "../kernel/identity.ts";
import type { CountedDeployment, DoraFigures, NoLeadTime, NotCounted, UncountedChange } from "./dora-figures.ts";

type Events = readonly Recorded<EnvironmentEvent>[];
type WentLive = Extract<Recorded<EnvironmentEvent>, { type: "ReleaseWentLive" }>;
type Commits = ReadonlyMap<string, GitCommit | null>;

/** Positions of the log: the first is in the period, the second behind it. `ms`: how long it is, above 0. */
export type Period = { readonly since: string; readonly until: string; readonly ms: number };

const DAY_MS = 86_400_000;
/** 7 April 2005, the day of git's first commit: what claims to be older carries a made-up time. */
const FIRST_COMMIT_MS = 1_112_832_000_000;

/**
 * The four figures of a period.
 *
 * A deployment is a `ReleaseWentLive` with the reason `deploy` in the period: however long it was held, and whatever was
 * superseded, cancelled or failed on the way, it counts when it is live and not before. Nothing else is one: a rollback goes
 * back to what was counted, a restore is the engine's own, a promotion chooses what is there already.
 *
 * A deployment has failed where a rollback that went live took it down, to another release, before the next deployment of that
 * environment went live. That is DORA's "degraded service that needs a rollback" as far as a log of deployments knows it:
 * a flip that fails brought nothing to visitors that stays, and a hotfix that goes forward looks like any other deployment.
 * A deployment fails once, so that going back and forth counts once. A failure belongs to the period in which its deployment
 * went live, also where the rollback came after that period: the deployments and failures of periods that follow each
 * other add up.
 *
 * A lead time ends when the deployment is live, so that a hold is a part of it. A commit counts for the first time that it
 * goes live in its environment, as far as the period and what was live right before it tell.
 *
 * @param events of any number of environments, each in its order: those of the period, and of each environment whatever
 *   follows up to the next deployment or rollback that goes live (`undecided` says where that is needed). What else is
 *   behind the period does no harm.
 * @param commits of the deployments that `commitsNeeded` names; null where there is none
 * @param msOf milliseconds since 1970 of an ISO 8601 time
 */
export const dora = (events: Events, period: Period, commits: Commits, msOf: (time: string) => number): DoraFigures => {
  const known: Commits = new Map([...commits, ...admittedCommits(events)]);
  const byStream = Map.groupBy(wentLive(events), ({ stream }) => stream);
  const found = [...byStream.values()].map((changes) => ofEnvironment(changes, period, known, msOf));
  const deployments = found.flatMap(({ counted }) => counted).sort(inLogOrder);
  return { ...figuresOf(deployments, period), deployments, uncounted: found.flatMap(({ uncounted }) => uncounted).sort(inLogOrder) };
};

/** Deployments whose commits the figures need and these events do not have: what was admitted or went live before the period. */
export const commitsNeeded = (events: Events, period: Period): string[] => {
  const known = admittedCommits(events);
  const inPeriod = wentLive(events).filter((event) => isIn(period, event));
  const before = [...Map.groupBy(inPeriod, ({ stream }) => stream).values()].flatMap(([first]) => first?.body.previous?.deploymentId ?? []);
  const deployed = inPeriod.filter(({ body }) => body.reason === "deploy").map(({ body }) => body.deploymentId);
  return [...new Set([...before, ...deployed])].filter((id) => !known.has(id));
};

/** Environments whose last deployment may have been rolled back behind these events: their streams, and the version to read on from. */
export const undecided = (events: Events): { stream: string; version: number }[] =>
  [...Map.groupBy(wentLive(events), ({ stream }) => stream)].flatMap(([stream, changes]) => {
    const last = changes.at(-1);
    return last !== undefined && changes.findLast(isDecision)?.body.reason === "deploy" ? [{ stream, version: last.version }] : [];
  });

/** Whether it decides what became of the deployment before it. */
export const isDecision = (event: Recorded<EnvironmentEvent>): boolean => event.type === "ReleaseWentLive" && !staysAsItWas(event);

/** The engine puts the same release back; so does who rolls back to what is live while something else is about to go live. */
const staysAsItWas = ({ body }: WentLive): boolean => body.previous?.deploymentId === body.deploymentId;

const wentLive = (events: Events): WentLive[] => events.filter((event) => event.type === "ReleaseWentLive");
const isIn = ({ since, until }: Period, { position }: WentLive): boolean => position >= since && position < until;
const inLogOrder = (one: { position: string; event: string }, other: { position: string; event: string }): number =>
  one.position < other.position || (one.position === other.position && one.event < other.event) ? -1 : 1;

const admittedCommits = (events: Events): Commits =>
  new Map(
    events.flatMap((event) =>
      event.type === "DeploymentAdmitted" ? [[event.body.deploymentId, event.body.request.commit ?? null] as const] : [],
    ),
  );

const changeOf = ({ stream, id, position, at, body }: WentLive) => ({
  ...siteOf(stream),
  deploymentId: body.deploymentId,
  sequence: body.sequence,
  event: id,
  position,
  at,
  by: body.actor,
});

/** The changes of one environment, in their order. */
const ofEnvironment = (
  changes: readonly WentLive[],
  period: Period,
  commits: Commits,
  msOf: (time: string) => number,
): { counted: CountedDeployment[]; uncounted: UncountedChange[] } => {
  const counted: CountedDeployment[] = [];
  const uncounted: UncountedChange[] = [];
  const shas = new Set<string>();
  /** the last deployment, where it is of the period and not rolled back yet */
  let standing: CountedDeployment | undefined;
  let last: WentLive | undefined;
  for (const change of changes) {
    const { reason, deploymentId, previous } = change.body;
    const leave = (why: NotCounted): void => void (isIn(period, change) && uncounted.push({ ...changeOf(change), how: reason, why }));
    if (last === undefined) noteSha(shas, commits.get(previous?.deploymentId ?? ""));
    if (reason === "deploy") {
      standing = isIn(period, change) ? { ...changeOf(change), ...leadOf(change, commits, shas, msOf), rolledBack: null } : undefined;
      if (standing !== undefined) counted.push(standing);
    } else if (reason !== "rollback") leave(reason);
    else if (previous?.deploymentId === deploymentId) leave("stayed");
    else if (standing !== undefined && previous?.deploymentId === standing.deploymentId) {
      standing.rolledBack = { ...changeOf(change), ms: Math.max(0, msOf(change.at) - msOf(standing.at)) };
      standing = undefined;
    } else leave(last === undefined ? "earlier" : "again");
    if (!staysAsItWas(change)) last = change;
  }
  return { counted, uncounted };
};

type Lead = Pick<CountedDeployment, "sha" | "committedAt" | "leadTimeMs" | "noLeadTime">;

const leadOf = ({ body, at }: WentLive, commits: Commits, shas: Set<string>, msOf: (time: string) => number): Lead => {
  const commit = commits.get(body.deploymentId) ?? undefined;
  const told = { sha: commit?.sha ?? null, committedAt: commit?.committedAt ?? null };
  const none = (noLeadTime: NoLeadTime): Lead => ({ ...told, leadTimeMs: null, noLeadTime });
  if (commit === undefined) return none("unknown");
  if (commit.dirty === true) return none("changed");
  if (shas.has(commit.sha)) return none("again");
  noteSha(shas, commit);
  if (commit.committedAt === undefined) return none("unknown");
  const committed = msOf(commit.committedAt);
  const leadTimeMs = msOf(at) - committed;
  return leadTimeMs >= 0 && committed >= FIRST_COMMIT_MS ? { ...told, leadTimeMs, noLeadTime: null } : none("implausible");
};

/** A commit that was live as it is: a source that differed from it was something else. */
const noteSha = (shas: Set<string>, commit: GitCommit | null | undefined): void => {
  if (commit && commit.dirty !== true) shas.add(commit.sha);
};

const figuresOf = (deployments: readonly CountedDeployment[], { ms }: Period): Omit<DoraFigures, "deployments" | "uncounted"> => {
  const timed = deployments.flatMap(({ deploymentId, leadTimeMs }) => (leadTimeMs === null ? [] : [{ deploymentId, ms: leadTimeMs }]));
  const failed = deployments.flatMap(({ deploymentId, rolledBack }) => (rolledBack === null ? [] : [{ deploymentId, ms: rolledBack.ms }]));
  const sample = deployments.length;
  const days = ms / DAY_MS;
  const without = (reason: NoLeadTime): string[] => idsOf(deployments.filter(({ noLeadTime }) => noLeadTime === reason));
  return {
    deploymentFrequency: { perDay: sample / days, days, sample, counted: idsOf(deployments) },
    leadTime: {
      medianMs: median(timed.map(({ ms }) => ms)),
      p90Ms: percentile(
        timed.map(({ ms }) => ms),
        90,
      ),
      sample: timed.length,
      counted: idsOf(timed),
      leftOut: { unknown: without("unknown"), changed: without("changed"), again: without("again"), implausible: without("implausible") },
    },
    changeFailureRate: { rate: sample === 0 ? null : failed.length / sample, sample, counted: idsOf(failed) },
    timeToRestore: { medianMs: median(failed.map(({ ms }) => ms)), sample: failed.length, counted: idsOf(failed) },
  };
};

const idsOf = (found: readonly { readonly deploymentId: string }[]): string[] => found.map(({ deploymentId }) => deploymentId);

/** The one in the middle, or the mean of the two; null of none. */
export const median = (values: readonly number[]): number | null => {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return lower === undefined || upper === undefined ? null : (lower + upper) / 2;
};

/** The smallest of them that so many percent are not above (nearest rank); null of none. */
export const percentile = (values: readonly number[], percent: number): number | null =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil((values.length * percent) / 100) - 1)] ?? null;
