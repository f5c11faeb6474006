import { type EventOf, readEvent } from "../../domain/aggregates.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { crowdedOut } from "../../domain/environment/ended-release.ts";
import { type Fence, isAsRecorded, readFence } from "../../domain/environment/fence.ts";
import { type Environment, isTarget } from "../../domain/environment/state.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { AliasState } from "../../engine/aws/functions.ts";
import { GRACE_MS } from "../../engine/edge/grace.ts";
import { ageOf } from "../../engine/kit/age.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import type { Admitted } from "../../engine/log/queue-admitted.ts";
import { newestOf, type ReadBack } from "../../engine/log/read-back.ts";
import { type Ports as EdgePorts, lookAtEdge } from "./edge-row.ts";
import { type Ports as SendingPorts, sendAgain } from "./send-again.ts";

/** Where the log has put an alias. */
type Placed = Fence & { readonly version: string };

export type Ports = SendingPorts &
  EdgePorts & {
    readonly aggregates: Pick<Aggregates, "environment" | "deployment">;
    /** the events of a stream after a version, in order */
    events(stream: string, after?: number): Promise<readonly Recorded[]>;
    readonly back: ReadBack;
    alias(fn: string): Promise<AliasState | undefined>;
    /** whether the environment still has a function of this name */
    isDeclared(site: string, environment: string, fn: string): boolean;
    /** whether there is a row of it: without one, nothing else looks after it */
    isProjected(deploymentId: string): Promise<boolean>;
    /** whether the environment's row has read so far */
    isProjectedTo(version: number, site: string, environment: string): Promise<boolean>;
    /** what was noted of it last; `undefined`: never, or days ago */
    settled(what: string, now: number): Promise<string | undefined>;
    noteSettled(what: string, value: string, now: number): Promise<void>;
  };

const MINUTE = 60_000;
const NUDGE_MS = 2 * MINUTE;
/** Beyond what an hour's outage delays its message (`retries` of the topology). */
const FLIP_DEADLINE_MS = 100 * MINUTE;
/** Older requests do not begin any more. */
const REMEMBERED_MS = 24 * 60 * MINUTE;
const ACTOR = "shiplog reconcile";

/** One environment as it is looked at. What its state does not say is read back in its stream, as far as it takes. */
export type Observed = {
  readonly site: string;
  readonly environment: string;
  readonly stream: string;
  readonly state: Environment;
  readonly version: number;
  record(command: EnvironmentCommand, cause: string): Promise<unknown>;
};
type EnvironmentEvent = EventOf<"environment">;
type Body<T extends EnvironmentEvent["type"]> = Extract<EnvironmentEvent, { readonly type: T }>["body"];

/** Keeps one environment true: ends locks, sends lost flips again, and looks whether each alias is where it was put. */
export const reconcileEnvironment =
  (ports: Ports) =>
  async (site: string, environment: string): Promise<void> => {
    const observed = await observe(ports, site, environment);
    await expireLock(ports, observed);
    await endWindows(ports, observed);
    await bringRow(ports, observed);
    await beginRequests(ports, observed);
    await withdrawWaiting(ports, observed);
    await sendOpenFlips(ports, observed);
    await removeEnded(ports, observed);
    if (observed.state.open.size > 0) return;
    await lookForDrift(ports, observed);
    await lookAtEdge(ports, observed);
  };

const observe = async ({ aggregates }: Ports, site: string, environment: string): Promise<Observed> => {
  const stream = environmentStream(site, environment);
  return {
    site,
    environment,
    stream,
    ...(await aggregates.environment.load(site, environment)),
    record: (command, cause) =>
      aggregates.environment.execute(site, environment, command, {
        cause: `reconcile/${cause}`,
        correlation: stream,
        actor: ACTOR,
      }),
  };
};

const read = (event: Recorded): Recorded<EnvironmentEvent> => readEvent("environment", event as Recorded<EnvironmentEvent>);

/** @param isIts asked of the body of an event of that type */
const isOfType =
  <T extends EnvironmentEvent["type"]>(type: T, isIts: (body: Body<T>) => boolean) =>
  (event: Recorded): event is Recorded =>
    event.type === type && isIts(read(event).body as unknown as Body<T>);

const expireLock = async ({ now }: Ports, { state, record }: Observed): Promise<void> => {
  const at = new Date(now()).toISOString();
  if (state.lock?.until && state.lock.until <= at) await record({ type: "ExpireLock", at }, `lock/${state.lock.until}`);
};

/** Releases that what names them has reached for as long as it may, and those that newer ones leave no room. */
const endWindows = async ({ now }: Ports, { state, record }: Observed): Promise<void> => {
  const at = new Date(now()).toISOString();
  const crowded = crowdedOut(state);
  for (const [release, { until, ended }] of state.routes)
    if (ended === null && until !== null && (until <= at || crowded.has(release)))
      await record({ type: "EndRelease", release, reason: "window", at }, `window/${release}/${until}`);
};

/** Releases that have ended, and whose addresses are there: each may go once no edge can have its row any more. */
const removeEnded = async (ports: Ports, { stream, state: { routes, edgeDrift } }: Observed): Promise<void> => {
  // a hand may send visitors there
  if (edgeDrift !== undefined) return;
  const left = new Set([...routes].flatMap(([release, { ended }]) => (ended === null ? [] : [release])));
  if (left.size === 0) return;
  // the newest of each, in one pass
  const isIts = isOfType("ReleaseEnded", ({ release }) => left.delete(release));
  for await (const event of ports.back(stream)) {
    if (isIts(event)) await sendAgain(ports, event.at, GRACE_MS, [event]);
    if (left.size === 0) return;
  }
};

/** Events that never reached the row: the newest brings it all of them. */
const bringRow = async (ports: Ports, { site, environment, stream, version }: Observed): Promise<void> => {
  if (version === 0 || (await ports.isProjectedTo(version, site, environment))) return;
  const newest = (await ports.events(stream, version - 1)).filter((event) => event.version === version);
  await sendAgain(ports, newest[0]?.at ?? "", NUDGE_MS, newest);
};

/**
 * Requests of which nobody heard: neither was their deployment told to begin nor is it in any list. Up to which number all of them
 * were heard of is noted: what has a row is looked after by that.
 */
const beginRequests = async (ports: Ports, { stream, state }: Observed): Promise<void> => {
  const what = `begun/${stream}`;
  const said = Number((await ports.settled(what, ports.now())) ?? 0);
  // of a log that was longer: it was restored to an earlier moment since
  const noted = said > state.sequence ? 0 : said;
  const pending = [...state.pending].filter(([, sequence]) => sequence > noted).sort(([, a], [, b]) => a - b);
  const unheard = new Set<string>();
  let heard = noted;
  for (const [deploymentId, sequence] of pending) {
    if (!(await ports.isProjected(deploymentId))) unheard.add(deploymentId);
    if (unheard.size === 0) heard = sequence;
  }
  if (heard !== said) await ports.noteSettled(what, String(heard), ports.now());
  if (unheard.size === 0) return;
  const isIts = isOfType("DeploymentAdmitted", ({ deploymentId }) => unheard.delete(deploymentId));
  for await (const event of ports.back(stream)) {
    if (isIts(event)) await beginRequest(ports, read(event) as Admitted);
    if (unheard.size === 0) return;
  }
};

const beginRequest = async (ports: Ports, event: Admitted): Promise<void> => {
  const age = ageOf(event.at, ports.now());
  if (age <= NUDGE_MS) return;
  const queued = await ports.events(deploymentStream(event.body.deploymentId));
  if (queued.length === 0 && age > REMEMBERED_MS) await dropRequest(ports, event);
  else await sendAgain(ports, event.at, NUDGE_MS, queued.length === 0 ? [event] : queued);
};

/** Nobody expects it any more: it ends where people see it. */
const dropRequest = async ({ aggregates }: Ports, { id, body: { deploymentId, sequence, request } }: Admitted): Promise<void> => {
  const reason = "nobody heard of this request for a day: its messages were lost, or a clock was far off; deploy again";
  const because = { cause: `${id}/drop`, correlation: deploymentId, actor: ACTOR };
  await aggregates.deployment.execute(deploymentId, { type: "DropRequest", sequence, request, reason }, because);
};

/** What waits for the pin or lock to go, and its deployment has ended: the environment was never told. */
const withdrawWaiting = async (ports: Ports, { state }: Observed): Promise<void> => {
  if (state.waiting === null) return;
  const ended = (await ports.events(deploymentStream(state.waiting.deploymentId))).findLast(
    ({ type }) => type === "DeploymentCancelled" || type === "DeploymentFailed",
  );
  if (ended !== undefined) await sendAgain(ports, ended.at, NUDGE_MS, [ended]);
};

const sendOpenFlips = async (ports: Ports, observed: Observed): Promise<void> => {
  for (const { sequence, release } of observed.state.open.values()) {
    const event = await newestOf(
      ports.back(observed.stream),
      isOfType("FlipRequested", (body) => body.sequence === sequence),
    );
    if (event === undefined) continue;
    const age = ageOf(event.at, ports.now());
    if (age > FLIP_DEADLINE_MS) {
      const fences = await Promise.all(release.functions.map(async (fn) => (await lookAt(ports, observed, fn.name)).fence));
      const moved = fences.some((fence) => fence?.sequence === sequence);
      const reason = "it did not end within 100 minutes; see the dead letters with: shiplog events --dead-letters";
      await observed.record({ type: "RecordFlipFailed", sequence, reason, moved }, `flip/${sequence}`);
    } else await sendAgain(ports, event.at, NUDGE_MS, [event]);
  }
};

/** An alias as it is. A move that nobody wrote down is written down: its mover died right after it. */
const lookAt = async (
  ports: Ports,
  { site, environment, stream, state }: Observed,
  fn: string,
): Promise<{ found: AliasState | undefined; fence: Fence | undefined; expected: Placed | undefined }> => {
  const found = await ports.alias(fn);
  const fence = found && readFence(found.description);
  const known = state.aliases.get(fn);
  if (found === undefined || fence === undefined || fence.sequence <= (known?.sequence ?? 0) || !isTarget(state, fence, fn, found.version))
    return { found, fence, expected: known };
  const { version: to, revisionId } = found;
  await ports.aggregates.environment.execute(
    site,
    environment,
    { type: "RecordAliasFlipped", ...fence, function: fn, from: known?.version ?? to, to, revisionId },
    // the mover's own cause: whoever comes first
    { cause: `flip/${fence.sequence}/${fn}`, correlation: stream, actor: ACTOR },
  );
  return { found, fence, expected: { ...fence, version: to } };
};

/** Every function that an alias of the environment was moved of, or was to be, as far as it is remembered. */
const functionsOf = ({ aliases, targets, everLive }: Environment): Set<string> =>
  new Set([
    ...aliases.keys(),
    ...[...targets.values()].flatMap(({ versions }) => Object.keys(versions)),
    ...[...everLive.values()].flatMap(({ release }) => release.functions.map(({ name }) => name)),
  ]);

const lookForDrift = async (ports: Ports, observed: Observed): Promise<void> => {
  const { state, version, record } = observed;
  const left = new Set<number>();
  for (const fn of functionsOf(state)) {
    const { found, expected } = await lookAt(ports, observed, fn);
    // a split function of releases before, taken out of the declaration
    if (found === undefined && !ports.isDeclared(observed.site, observed.environment, fn)) continue;
    // the same drift may come again, and is recorded again
    const cause = `drift/${fn}/v${version}`;
    if (isAsRecorded(expected, found)) {
      if (expected === undefined) continue;
      const { sequence, version } = expected;
      if (sequence > (state.live?.sequence ?? sequence)) left.add(sequence);
      const ended = { type: "RecordDriftEnded", function: fn, version, sequence } as const;
      if (state.drift.has(fn)) await record(ended, `${cause}/ended`);
      continue;
    }
    const { version: at = "", description = "", weights } = found ?? {};
    const seen = found === undefined ? null : { version: at, description, ...(weights && { weights }) };
    await record({ type: "RecordDrift", function: fn, expected: expected ?? null, found: seen }, `${cause}/${found?.revisionId ?? "none"}`);
  }
  if (left.size > 0) await restoreLive(ports, observed, left);
};

/**
 * A flip that was given up moved an alias all the same, late. What stood in a restore's way may have been a hand's doing: each time
 * such a drift ends, it is tried once more; a restore that failed itself is not tried for ever.
 *
 * @param left sequences above that of what is live, which aliases were left at
 */
const restoreLive = async ({ back }: Ports, { stream, record }: Observed, left: ReadonlySet<number>): Promise<void> => {
  const lowest = Math.min(...left);
  let ended: number | undefined;
  for await (const event of back(stream)) {
    if (event.type === "AliasDriftEnded") ended ??= event.version;
    if (event.type !== "FlipRequested") continue;
    const { sequence, reason } = read(event).body as Body<"FlipRequested">;
    // each was asked for with a higher one than those before
    if (sequence < lowest) return;
    if (reason === "restore" || !left.has(sequence)) continue;
    await record({ type: "RestoreLive", sequence }, `restore/${sequence}${ended === undefined ? "" : `/v${ended}`}`);
    return;
  }
};
