import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Keep } from "../../domain/environment/keep.ts";
import type { Environment, Sweep } from "../../domain/environment/state.ts";
import { MAX_MARKED } from "../../domain/environment/sweep.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { MAX_CLOCK_SKEW_MS } from "../../domain/kernel/position.ts";
import { clipped } from "../../domain/kernel/text.ts";
import { type Delivery, NotYet } from "../../engine/kit/consumer.ts";
import { each } from "../../engine/kit/each.ts";
import type { Aggregates, Executed } from "../../engine/log/execute.ts";
import { CLAIM_MS, claimLeft, claimsAt } from "../../engine/sweep/claim.ts";
import { sayBlocked } from "../../engine/sweep/explain.ts";
import type { Place } from "../../engine/sweep/place.ts";
import { planOf } from "../../engine/sweep/plan.ts";
import { type Served, servedAt } from "../../engine/sweep/served.ts";
import { idOf, type Thing } from "../../engine/sweep/things.ts";
import { type List, type Ports as ListPorts, readList, writeList } from "./list.ts";
import { type Going, goingOf, type Looked, type Ports as LookPorts, lookTaken, saySent, stillGoing, WIDTH } from "./look.ts";
import { ClaimOver, leftOf, MOST_NAME, type Ports as TakePorts, takeAway } from "./take.ts";

export type Ports = LookPorts &
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

const ACTOR = "shiplog sweep";
const HOUR = 3_600_000;
/** Between two looks through an environment. */
const EVERY_MS = 24 * HOUR;
/** Nobody takes anything away in a claim's last minute. */
const MARGIN_MS = 60_000;
/** A mark that is due later than that after its wait was dated by a clock that was ahead, or by a longer wait. */
const TOO_LATE_MS = HOUR;

/** One environment's sweep as its steps see it. */
type Work = {
  readonly place: Place;
  readonly stream: string;
  readonly state: Environment;
  readonly isAsked: boolean;
  record(command: EnvironmentCommand, suffix: string): Promise<Executed<Environment>>;
};

/**
 * Takes an environment's sweep one step further: what nothing keeps is marked; a day later, what still nothing keeps is taken away. Where
 * that fails to the last, a day passes before the timer's next message is tried: each would be one more dead letter of the same fault.
 */
export const sweep =
  (ports: Ports) =>
  async (asked: Asked, { last }: Pick<Delivery, "last">): Promise<void> => {
    const failed = `sweep-failed/${environmentStream(asked.site, asked.environment)}`;
    if (asked.actor === undefined && (await isRecent(ports, failed))) return;
    try {
      await goOn(ports, asked);
    } catch (error) {
      if (last && !(error instanceof NotYet)) await ports.noteSettled(failed, timeOf(ports), ports.now());
      throw error;
    }
  };

const goOn = async (ports: Ports, { site, environment, actor, cause }: Asked): Promise<void> => {
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
  else if (isTooLate(ports, work, state.sweep))
    await record({ type: "DropMark", mark: state.sweep.mark, reason: `it would go at ${state.sweep.after}, which is too late` }, "drop");
  else if (state.sweep.until !== null || state.sweep.after <= timeOf(ports)) await carryOut(ports, work, state.sweep);
};

/** Whether a moment was noted less than a day ago. */
const isRecent = async ({ settled, now }: Ports, what: string): Promise<boolean> => {
  const noted = await settled(what, now());
  const since = noted === undefined ? undefined : now() - Date.parse(noted);
  return since !== undefined && since >= 0 && since < EVERY_MS;
};

const timeOf = ({ now }: Pick<Ports, "now">, afterMs = 0): string => new Date(now() + afterMs).toISOString();
const keepOf = ({ keep: { releases, days, window } }: Place): Keep => ({ releases, days, window });

const isTooLate = (ports: Ports, { place }: Work, { until, after }: Sweep): boolean =>
  until === null && after > timeOf(ports, place.keep.wait * HOUR + TOO_LATE_MS);

/** Once a day, or when a person asks: names what nothing keeps. */
const mark = async (ports: Ports, { place, stream, isAsked, record }: Work): Promise<void> => {
  const what = `swept/${stream}`;
  if (!isAsked && (await isRecent(ports, what))) return;
  const plan = await planOf(ports, place, { served: await servedAt(ports, place) });
  const releases = goingOf(plan);
  const blocked = sayBlocked(plan);
  if (blocked !== undefined)
    ports.log({ level: "warn", message: `nothing is swept while ${blocked}`, environment: `${place.site}/${place.environment}` });
  if (releases.length > 0 || plan.others.length > 0) {
    const keep = keepOf(place);
    const list = await writeList(ports, place, { v: 1, keep, releases, things: [...plan.things], others: [...plan.others] });
    const sweepAfter = timeOf(ports, place.keep.wait * HOUR);
    await record({ type: "MarkReleases", keep, releases, others: othersOf(plan.others), ...list, sweepAfter }, "mark");
  }
  // where there is more than a mark takes, it is looked through again once that is swept
  if (releases.length < MAX_MARKED) await ports.noteSettled(what, timeOf(ports), ports.now());
};

/** One by one; files are many. */
const othersOf = (others: readonly Thing[]): Body<"ReleasesMarked">["others"] => ({
  named: others.filter(({ kind }) => kind !== "files" && kind !== "tags").map((thing) => clipped(idOf(thing), MOST_NAME)),
  files: others.filter(({ kind }) => kind === "files").length,
});

/**
 * Claims what of a mark still goes, and takes it away, if nothing is being published: who begins to publish from then on waits. Whoever
 * dies at it leaves a claim that is over in minutes, and taken over then.
 */
const carryOut = async (ports: Ports, work: Work, sweep: Sweep): Promise<void> => {
  const { place, record } = work;
  const { mark } = sweep;
  const claimedMs = claimLeft({ sweep }, ports.now());
  if (claimedMs > 0) throw new NotYet(`${place.site}/${place.environment} is being swept`, Math.ceil(claimedMs / 1_000));
  const list = await readList(ports, place, sweep);
  if (list === undefined && sweep.until === null) {
    await record({ type: "DropMark", mark, reason: `its list ${sweep.list} is gone, or is not what was marked` }, "drop");
    return;
  }
  if ((await publishing(ports, work)) !== undefined) return;
  const looked = sweep.until === null ? await stillGoing(ports, place) : await lookTaken(ports, place, sweep);
  if (looked.blocked !== undefined) {
    await record({ type: "DropMark", mark, reason: `nothing is swept while ${looked.blocked}` }, "drop");
    return;
  }
  const claimed = await claim(ports, work, sweep, looked);
  if (claimed === undefined) return;
  const served = await servedAt(ports, place);
  const busy = await publishing(ports, work);
  const reason = busy === undefined ? saySent(looked, claimed.releases, served) : `${busy} is being published`;
  if (reason !== undefined) {
    await record({ type: "PutOffSweep", mark, reason }, `off/${claimed.until}`);
    return;
  }
  const noList = `its list ${sweep.list} is gone, or is not what was marked`;
  await take(ports, work, { mark, claimed, list, noList, served, files: looked.files });
};

type Claimed = { readonly releases: readonly Going[]; readonly until: string };

/**
 * What of the marked releases goes, by the rules at this moment; once claimed, all of it. `undefined` where it is not the time, or
 * where somebody has chosen something meanwhile: then it is looked at again.
 */
const claim = async (ports: Ports, { place, record }: Work, sweep: Sweep, { releases, flipped }: Looked): Promise<Claimed | undefined> => {
  const [at, until, claims] = [timeOf(ports), timeOf(ports, CLAIM_MS), claimsAt(ports.now())];
  const command = { type: "BeginSweep", mark: sweep.mark, releases, keep: keepOf(place), until, at, claims, flipped } as const;
  const { events } = await record(command, `begin/${until}`);
  return events.find(isBegan)?.body;
};

type Taking = Pick<Looked, "files"> & {
  readonly mark: number;
  readonly claimed: Claimed;
  readonly list: List | undefined;
  readonly noList: string;
  readonly served: Served;
};

/** Takes away what is claimed, as far as it was on the mark's list, and says what that was. */
const take = async (ports: Ports, work: Work, { mark, claimed, list, noList, served, files }: Taking): Promise<void> => {
  const { place, record } = work;
  const { until } = claimed;
  const refused = await tellDeployments(ports, work, mark, claimed.releases);
  const going = new Set(claimed.releases.flatMap(({ deploymentId }) => (refused.has(deploymentId) ? [] : [deploymentId])));
  const plan = await planOf(ports, place, { only: going, served, files });
  // what was not on the list waits for a mark of its own
  const listed = new Set([...(list?.things ?? []), ...(list?.others ?? [])].map((thing) => idOf(thing)));
  const thingsBut = (versions: ReadonlySet<string>): Thing[] =>
    [...plan.thingsBut(versions), ...plan.others].filter((thing) => listed.has(idOf(thing)));
  try {
    const { taken, bytes, left } = await takeAway(ports, place, thingsBut, plan.sizes, () => isMine(ports, work, mark, until));
    const kept = [...refused].map(([thing, because]) => ({ thing, because }));
    const blocked = sayBlocked(plan);
    const nothing = list === undefined ? noList : blocked;
    const why = [...(nothing === undefined ? [] : [{ thing: "everything", because: nothing }]), ...kept, ...left];
    await record(
      { type: "EndSweep", mark, releases: blocked === undefined ? going.size : 0, taken, bytes, ...leftOf(why) },
      `end/${until}`,
    );
  } catch (error) {
    if (!(error instanceof ClaimOver)) throw error;
    throw new NotYet(`${place.site}/${place.environment}: ${error.message}`, Math.ceil((CLAIM_MS + MAX_CLOCK_SKEW_MS) / 1_000));
  }
};

/** Whether the claim still is who asks's, and for a while. */
const isMine = async (ports: Ports, { place }: Work, mark: number, until: string): Promise<boolean> => {
  if (timeOf(ports, MARGIN_MS) >= until) return false;
  const { sweep } = (await ports.aggregates.environment.load(place.site, place.environment)).state;
  return sweep?.mark === mark && sweep.until === until;
};

type Began = Recorded & { readonly body: Body<"SweepBegan"> };
const isBegan = (event: Recorded): event is Began => event.type === "SweepBegan";

/** A deployment of which versions or files may be made at this moment, from what lies there already. */
const publishing = async ({ aggregates }: Ports, { place }: Work): Promise<string | undefined> => {
  const { state } = await aggregates.environment.load(place.site, place.environment);
  let busy: string | undefined;
  await each([...state.pending.keys()], WIDTH, async (deploymentId) => {
    const { status, checked } = (await aggregates.deployment.load(deploymentId)).state;
    if (status === "built" || (status === "deploying" && !checked)) busy ??= deploymentId;
  });
  return busy;
};

/** Says so in the stream of each: who looks at one there knows that it cannot go live again. Answers those that must not be swept, and why. */
const tellDeployments = async (
  { aggregates }: Ports,
  { place, stream }: Work,
  mark: number,
  releases: readonly Going[],
): Promise<ReadonlyMap<string, string>> => {
  const refused = new Map<string, string>();
  await each(releases, WIDTH, async ({ deploymentId, rule }) => {
    const because = { cause: `sweep/${stream}/${mark}`, correlation: stream, actor: ACTOR };
    const { refusal } = await aggregates.deployment.execute(
      deploymentId,
      { type: "SweepRelease", mark, rule, keep: keepOf(place) },
      because,
    );
    if (refusal !== undefined) refused.set(deploymentId, refusal.because);
  });
  return refused;
};
