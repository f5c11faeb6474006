import { type EventOf, readEvent } from "../../domain/aggregates.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment as decider } from "../../domain/environment/decider.ts";
import { type Fence, isAsRecorded, readFence } from "../../domain/environment/fence.ts";
import { type Environment, isTarget } from "../../domain/environment/state.ts";
import { fold } from "../../domain/kernel/decider.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { AliasState } from "../../engine/aws/functions.ts";
import { GRACE_MS } from "../../engine/edge/grace.ts";
import { ageOf } from "../../engine/kit/age.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import type { Admitted } from "../../engine/log/queue-admitted.ts";
import { type Ports as EdgePorts, lookAtEdge } from "./edge-row.ts";
import { type Ports as SendingPorts, sendAgain } from "./send-again.ts";

/** Where the log has put an alias. */
type Placed = Fence & { readonly version: string };

export type Ports = SendingPorts &
  EdgePorts & {
    readonly aggregates: Pick<Aggregates, "environment" | "deployment">;
    events(stream: string): Promise<readonly Recorded[]>;
    alias(fn: string): Promise<AliasState | undefined>;
    /** whether the environment still has a function of this name */
    isDeclared(site: string, environment: string, fn: string): boolean;
    /** whether there is a row of it: without one, nothing else looks after it */
    isProjected(deploymentId: string): Promise<boolean>;
    /** the version that the environment's row has read; 0 where there is no row */
    projected(site: string, environment: string): Promise<number>;
  };

const MINUTE = 60_000;
const NUDGE_MS = 2 * MINUTE;
/** Beyond what an hour's outage delays its message (`retries` of the topology). */
const FLIP_DEADLINE_MS = 100 * MINUTE;
/** Older requests do not begin any more. */
const REMEMBERED_MS = 24 * 60 * MINUTE;
const ACTOR = "shiplog reconcile";

/** One environment as it is looked at: its whole past, and what that makes of it. */
export type Observed = {
  readonly site: string;
  readonly environment: string;
  readonly stream: string;
  readonly history: readonly Recorded<EventOf<"environment">>[];
  readonly state: Environment;
  readonly flips: ReadonlyMap<number, FlipRequested["body"]>;
  record(command: EnvironmentCommand, cause: string): Promise<unknown>;
};
type FlipRequested = Extract<EventOf<"environment">, { readonly type: "FlipRequested" }>;

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

const observe = async (ports: Ports, site: string, environment: string): Promise<Observed> => {
  const stream = environmentStream(site, environment);
  const history = (await ports.events(stream)).map((event) => readEvent("environment", event));
  return {
    site,
    environment,
    stream,
    history,
    state: fold(decider, history),
    flips: new Map(history.flatMap((event) => (event.type === "FlipRequested" ? [[event.body.sequence, event.body] as const] : []))),
    record: (command, cause) =>
      ports.aggregates.environment.execute(site, environment, command, {
        cause: `reconcile/${cause}`,
        correlation: stream,
        actor: ACTOR,
      }),
  };
};

const expireLock = async ({ now }: Ports, { state, record }: Observed): Promise<void> => {
  const at = new Date(now()).toISOString();
  if (state.lock?.until && state.lock.until <= at) await record({ type: "ExpireLock", at }, `lock/${state.lock.until}`);
};

/** Releases that what names them has reached for as long as it may. */
const endWindows = async ({ now }: Ports, { state: { routes }, record }: Observed): Promise<void> => {
  const at = new Date(now()).toISOString();
  for (const [release, { until, ended }] of routes)
    if (ended === null && until !== null && until <= at)
      await record({ type: "EndRelease", release, reason: "window", at }, `window/${release}/${until}`);
};

/** Releases that have ended, and whose addresses are there: each may go once no edge can have its row any more. */
const removeEnded = async (ports: Ports, { history, state: { routes, edgeDrift } }: Observed): Promise<void> => {
  // a hand may send visitors there
  if (edgeDrift !== undefined) return;
  for (const [release, { ended }] of routes) {
    if (ended === null) continue;
    const event = history.findLast(({ type, body }) => type === "ReleaseEnded" && body.release === release);
    if (event !== undefined) await sendAgain(ports, event.at, GRACE_MS, [event]);
  }
};

/** Events that never reached the row: the newest brings it all of them. */
const bringRow = async (ports: Ports, { site, environment, history }: Observed): Promise<void> => {
  const newest = history.at(-1);
  if (newest === undefined || ageOf(newest.at, ports.now()) <= NUDGE_MS) return;
  if ((await ports.projected(site, environment)) < newest.version)
    await sendAgain(
      ports,
      newest.at,
      NUDGE_MS,
      history.filter(({ version }) => version === newest.version),
    );
};

/** Requests of which nobody heard: neither was their deployment told to begin nor is it in any list. */
const beginRequests = async (ports: Ports, { history, state }: Observed): Promise<void> => {
  for (const event of history) {
    if (event.type !== "DeploymentAdmitted" || !state.pending.has(event.body.deploymentId)) continue;
    const age = ageOf(event.at, ports.now());
    if (age <= NUDGE_MS || (await ports.isProjected(event.body.deploymentId))) continue;
    const queued = await ports.events(deploymentStream(event.body.deploymentId));
    if (queued.length === 0 && age > REMEMBERED_MS) await dropRequest(ports, event);
    else await sendAgain(ports, event.at, NUDGE_MS, queued.length === 0 ? [event] : queued);
  }
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
  for (const event of observed.history) {
    if (event.type !== "FlipRequested" || !observed.state.open.has(event.body.sequence)) continue;
    const { sequence, release } = event.body;
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

/** How often this alias was elsewhere before: the same drift may come again, and is recorded again. */
const driftsOf = ({ history }: Observed, fn: string): number =>
  history.filter(({ type, body }) => type === "AliasDriftDetected" && body.function === fn).length;

/** What stood in a restore's way may have been a hand's doing: each time such a drift ends, it is tried once more. */
const afterDrift = ({ history }: Observed): string => {
  const ended = history.filter(({ type }) => type === "AliasDriftEnded").length;
  return ended === 0 ? "" : `/${ended}`;
};

const lookForDrift = async (ports: Ports, observed: Observed): Promise<void> => {
  const { state, flips, record } = observed;
  let left = 0;
  for (const fn of new Set([...flips.values()].flatMap(({ release }) => release.functions.map((one) => one.name)))) {
    const { found, expected } = await lookAt(ports, observed, fn);
    // a split function of releases before, taken out of the declaration
    if (found === undefined && !ports.isDeclared(observed.site, observed.environment, fn)) continue;
    if (isAsRecorded(expected, found)) {
      if (expected === undefined) continue;
      const { sequence, version } = expected;
      // a restore that failed is not tried for ever
      if (flips.get(sequence)?.reason !== "restore") left = Math.max(left, sequence);
      const ended = { type: "RecordDriftEnded", function: fn, version, sequence } as const;
      if (state.drift.has(fn)) await record(ended, `drift/${fn}/${driftsOf(observed, fn)}/ended`);
      continue;
    }
    const { version = "", description = "", weights } = found ?? {};
    const seen = found === undefined ? null : { version, description, ...(weights && { weights }) };
    await record(
      { type: "RecordDrift", function: fn, expected: expected ?? null, found: seen },
      `drift/${fn}/${driftsOf(observed, fn)}/${found?.revisionId ?? "none"}`,
    );
  }
  // a flip that was given up moved an alias all the same, late
  if (left > (state.live?.sequence ?? left))
    await record({ type: "RestoreLive", sequence: left }, `restore/${left}${afterDrift(observed)}`);
};
