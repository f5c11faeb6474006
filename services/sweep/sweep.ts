import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { GoRule, Keep } from "../../domain/environment/keep.ts";
import type { Environment, Sweep } from "../../domain/environment/state.ts";
import { CLAIM_MS, isInForce, MAX_MARKED } from "../../domain/environment/sweep.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import type { Aggregates, Executed } from "../../engine/log/execute.ts";
import type { Place } from "../../engine/sweep/place.ts";
import { type Plan, type Ports as PlanPorts, planOf } from "../../engine/sweep/plan.ts";
import { idOf, type Thing } from "../../engine/sweep/things.ts";
import { type Ports as ListPorts, readList, writeList } from "./list.ts";
import { ClaimOver, type Ports as TakePorts, takeAway } from "./take.ts";

export type Ports = PlanPorts &
  ListPorts &
  TakePorts & {
    readonly aggregates: Aggregates;
    /** `undefined` where it is not declared (any more): then nobody says how long it keeps what */
    place(site: string, environment: string): Place | undefined;
    /** when an environment was looked through last; `undefined`: never, or days ago */
    settled(what: string, now: number): Promise<string | undefined>;
    noteSettled(what: string, value: string, now: number): Promise<void>;
    log(line: Readonly<Record<string, unknown>>): void;
  };

/** What a timer or a person asks of an environment. `actor`: the person, who does not wait for the day to be over. */
export type Asked = {
  readonly site: string;
  readonly environment: string;
  readonly actor?: string | undefined;
  readonly cause?: string | undefined;
};

type Body<T extends EnvironmentEvent["type"]> = Extract<EnvironmentEvent, { type: T }>["body"];
type Going = Body<"ReleasesMarked">["releases"][number];

const ACTOR = "shiplog sweep";
const HOUR = 3_600_000;
/** Between two looks through an environment. */
const EVERY_MS = 24 * HOUR;
/** Nobody takes anything away in the last minute of a claim. */
const MARGIN_MS = 60_000;

/** One environment's sweep as its steps see it. */
type Work = {
  readonly place: Place;
  readonly stream: string;
  readonly state: Environment;
  readonly isAsked: boolean;
  record(command: EnvironmentCommand, suffix: string): Promise<Executed<Environment>>;
};

/** Takes an environment's sweep one step further: what nothing keeps is marked; a day later, what still nothing keeps is taken away. */
export const sweep =
  (ports: Ports) =>
  async ({ site, environment, actor, cause }: Asked): Promise<void> => {
    const place = ports.place(site, environment);
    if (place === undefined) return;
    const stream = environmentStream(site, environment);
    const { state, version } = await ports.aggregates.environment.load(site, environment);
    const record: Work["record"] = (command, suffix) =>
      ports.aggregates.environment.execute(site, environment, command, {
        cause: `${cause ?? `sweep/v${version}`}/${suffix}`,
        correlation: stream,
        actor: actor ?? ACTOR,
      });
    const work: Work = { place, stream, state, isAsked: actor !== undefined, record };
    if (state.sweep === null) await mark(ports, work);
    else if (state.sweep.until !== null || state.sweep.after <= timeOf(ports)) await carryOut(ports, work, state.sweep);
  };

const timeOf = ({ now }: Pick<Ports, "now">, afterMs = 0): string => new Date(now() + afterMs).toISOString();
const keepOf = ({ keep: { releases, days, window } }: Place): Keep => ({ releases, days, window });

/** Once a day, or when a person asks: names what nothing keeps. */
const mark = async (ports: Ports, { place, stream, isAsked, record }: Work): Promise<void> => {
  const what = `swept/${stream}`;
  const last = await ports.settled(what, ports.now());
  const since = last === undefined ? undefined : ports.now() - Date.parse(last);
  if (!isAsked && since !== undefined && since >= 0 && since < EVERY_MS) return;
  const plan = await planOf(ports, place);
  const releases = goingOf(plan);
  if (plan.strangers.length > 0)
    ports.log({
      level: "warn",
      message: "nothing is swept: there are releases that no deployment in the log has",
      environment: `${place.site}/${place.environment}`,
      manifests: plan.strangers.slice(0, 10),
    });
  if (releases.length > 0 || plan.others.length > 0) {
    const keep = keepOf(place);
    const list = await writeList(ports, place, { v: 1, keep, releases, things: [...plan.things], others: [...plan.others] });
    const sweepAfter = timeOf(ports, place.keep.wait * HOUR);
    await record({ type: "MarkReleases", keep, releases, others: namedOf(plan.others), ...list, sweepAfter }, "mark");
  }
  // where there is more than a mark takes, it is looked through again once that is swept
  if (releases.length < MAX_MARKED) await ports.noteSettled(what, timeOf(ports), ports.now());
};

const goingOf = ({ going, judged }: Plan): Going[] => {
  const rules = new Map(judged.flatMap(({ one, verdict }) => ("goes" in verdict ? [[one.deploymentId, verdict.goes] as const] : [])));
  return going.flatMap(({ deploymentId, release }) => {
    const rule: GoRule | undefined = rules.get(deploymentId);
    return rule === undefined ? [] : [{ deploymentId, release, rule }];
  });
};

/** Versions and pages one by one; files are many. */
const namedOf = (others: readonly Thing[]): Body<"ReleasesMarked">["others"] => {
  const named = others.filter(({ kind }) => kind !== "files" && kind !== "tags").map((thing) => idOf(thing));
  const files = others.filter(({ kind }) => kind === "files").length;
  return [...named, ...(files > 0 ? [`files ${files}`] : [])].slice(0, MAX_MARKED).map((thing) => ({ thing, rule: "unknown" as const }));
};

/** Claims what of a mark still goes, and takes it away. Whoever dies at it leaves a claim that is over in minutes, and taken over then. */
const carryOut = async (ports: Ports, work: Work, sweep: Sweep): Promise<void> => {
  const { place, record } = work;
  const { mark } = sweep;
  const isFirst = sweep.until === null;
  const list = await readList(ports, place, sweep);
  if (list === undefined && isFirst) {
    await record({ type: "DropMark", mark, reason: `its list ${sweep.list} is gone, or is not what was marked` }, "drop");
    return;
  }
  const claimed = await claim(ports, work, sweep);
  if (claimed === undefined) return;
  const { until } = claimed;
  // who begins to publish from now on waits; who had begun before goes on
  const busy = await publishing(ports, work);
  if (busy !== undefined) {
    if (isFirst) await record({ type: "PutOffSweep", mark, reason: `${busy} is being published` }, `off/${until}`);
    return;
  }
  const refused = await tellDeployments(ports, work, mark, claimed.releases);
  const going = new Set(claimed.releases.flatMap(({ deploymentId }) => (refused.has(deploymentId) ? [] : [deploymentId])));
  const plan = await planOf(ports, place, going);
  // what was not on the list waits for a mark of its own
  const listed = new Set([...(list?.things ?? []), ...(list?.others ?? [])].map((thing) => idOf(thing)));
  const things = [...plan.things, ...plan.others].filter((thing) => listed.has(idOf(thing)));
  try {
    const { taken, bytes, left } = await takeAway(ports, place, things, plan.sizes, () => timeOf(ports, MARGIN_MS) < until);
    const reasons = [
      ...(list === undefined ? [`everything: its list ${sweep.list} is gone`] : []),
      ...[...refused].map(([deploymentId, why]) => `${deploymentId}: ${why}`),
      ...left,
    ];
    const said = reasons.length === 0 ? {} : { left: reasons.join("; ") };
    await record({ type: "EndSweep", mark, releases: going.size, taken, bytes, ...said }, `end/${until}`);
  } catch (error) {
    if (!(error instanceof ClaimOver)) throw error;
    ports.log({ level: "info", message: error.message, environment: `${place.site}/${place.environment}`, mark });
  }
};

type Claimed = { readonly releases: readonly Going[]; readonly until: string };

/**
 * What of the marked releases goes, by the rules at this moment; once claimed, all of it. `undefined` where it is not the time, or
 * where somebody has chosen something meanwhile: then it is looked at again.
 */
const claim = async (ports: Ports, { place, record }: Work, sweep: Sweep): Promise<Claimed | undefined> => {
  const now = timeOf(ports);
  if (sweep.until !== null && isInForce(sweep, now)) return { releases: sweep.releases, until: sweep.until };
  const releases = sweep.until === null ? goingOf(await planOf(ports, place)) : [...sweep.releases];
  const until = timeOf(ports, CLAIM_MS);
  const command = { type: "BeginSweep", mark: sweep.mark, releases, keep: keepOf(place), until, at: now } as const;
  const { events } = await record(command, `begin/${until}`);
  return events.find(isBegan)?.body;
};

type Began = Recorded & { readonly body: Body<"SweepBegan"> };
const isBegan = (event: Recorded): event is Began => event.type === "SweepBegan";

/** A deployment of which versions or files may be made at this moment, from what lies there already. */
const publishing = async ({ aggregates }: Ports, { place }: Work): Promise<string | undefined> => {
  const { state } = await aggregates.environment.load(place.site, place.environment);
  for (const deploymentId of state.pending.keys()) {
    const { status, checked } = (await aggregates.deployment.load(deploymentId)).state;
    if (status === "built" || (status === "deploying" && !checked)) return deploymentId;
  }
  return undefined;
};

/** Says so in the stream of each: who looks at one there knows that it cannot go live again. Answers those that must not be swept, and why. */
const tellDeployments = async (
  { aggregates }: Ports,
  { place, stream }: Work,
  mark: number,
  releases: readonly Going[],
): Promise<ReadonlyMap<string, string>> => {
  const refused = new Map<string, string>();
  for (const { deploymentId, rule } of releases) {
    const because = { cause: `sweep/${stream}/${mark}`, correlation: stream, actor: ACTOR };
    const { refusal } = await aggregates.deployment.execute(
      deploymentId,
      { type: "SweepRelease", mark, rule, keep: keepOf(place) },
      because,
    );
    if (refusal !== undefined) refused.set(deploymentId, refusal.because);
  }
  return refused;
};
