import { findBuildError } from "../../domain/build-error/find-build-error.ts";
import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import { type EnvironmentEvent, readEnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentOf, deploymentStream, environmentStream, isOf, siteOf } from "../../domain/kernel/identity.ts";
import { clipped, storable } from "../../domain/kernel/text.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import type { News } from "../../domain/webhook/news.ts";
import { factsOf } from "../../domain/wording.ts";
import type { ReadBack } from "../../engine/log/read-back.ts";
import { foldRow } from "../../engine/views/read-models.ts";

export type Ports = {
  /** every event of a stream, in order */
  events(stream: string): Promise<readonly Recorded[]>;
  readonly back: ReadBack;
  /** the end of a build's log; nothing where there is none */
  logEnd(logs: string): Promise<readonly string[]>;
  /** where an environment is visited; null where it is not declared any more */
  url(site: string, environment: string): string | null;
};

/** The error of a build with what is around it; its last lines, where nothing in it says what failed. */
const errorLines = (log: readonly string[]): string[] =>
  (findBuildError(log)?.context ?? log.filter((line) => line.trim() !== "").slice(-LINES)).map(shortened);

type Live = News["live"]["after"];

/** Lines of a failed build that a message shows where its error is not known. */
const LINES = 10;
/** A line of a build may be a whole bundle; the message must fit into a queue and into a row. */
const MAX_LINE = 500;
const shortened = (line: string): string => clipped(storable(line), MAX_LINE + 1);

/**
 * What an event means, as of that event, whenever it is asked: the streams are read up to it and no further.
 * `undefined` where it did not change a status after all.
 */
export const newsOf =
  (ports: Ports) =>
  (event: Recorded<DeploymentEvent | EnvironmentEvent>): Promise<News | undefined> =>
    isOf("deployment", event.stream)
      ? ofDeployment(ports, event as Recorded<DeploymentEvent>)
      : ofEnvironment(ports, event as Recorded<EnvironmentEvent>);

async function ofDeployment(ports: Ports, event: Recorded<DeploymentEvent>): Promise<News | undefined> {
  const id = deploymentOf(event.stream);
  const { view, before } = await deploymentUpTo(ports, id, (one) => isUpTo(one, event));
  if (view === undefined || view.status === before) return undefined;
  const { site, environment } = view;
  const sequence = event.type === "DeploymentSucceeded" ? event.body.sequence : undefined;
  const { now, own } = await lastChanges(ports, event, environmentStream(site, environment), sequence);
  const failed = view.status === "failed";
  return {
    ...envelope(event),
    site,
    environment,
    deployment: id,
    sequence: view.sequence,
    status: { before, after: view.status },
    live: own === undefined ? { before: now, after: now } : { before: own.before, after: own.after },
    flip: null,
    replaced: null,
    // a consumer's own step is somebody's deployment
    actor: event.actor.startsWith("shiplog ") ? view.actor : event.actor,
    commit: view.commit,
    reason: view.reason,
    step: view.step,
    durationMs: Date.parse(event.at) - Date.parse(view.queuedAt),
    url: ports.url(site, environment),
    lastLines: failed && view.step === "build" && view.logs !== null ? errorLines(await ports.logEnd(view.logs)) : [],
    next: nextFor(view, event, own?.before ?? null),
  };
}

async function ofEnvironment(ports: Ports, event: Recorded<EnvironmentEvent>): Promise<News> {
  const { site, environment } = siteOf(event.stream);
  const place = `${site}/${environment}`;
  const named = "deploymentId" in event.body ? event.body.deploymentId : null;
  const wentLive = event.type === "ReleaseWentLive";
  const [view, { now, own }] = await Promise.all([
    named === null ? undefined : deploymentUpTo(ports, named, ({ position }) => position <= event.position).then((found) => found.view),
    lastChanges(ports, event, event.stream, wentLive ? event.body.sequence : undefined),
  ]);
  return {
    ...envelope(event),
    site,
    environment,
    deployment: named,
    sequence: "sequence" in event.body ? event.body.sequence : null,
    status: null,
    live: own === undefined ? { before: now, after: now } : { before: own.before, after: own.after },
    flip: flipOf(event),
    replaced: own === undefined ? null : await replacedBy(ports, own, event.position),
    actor: wentLive ? event.body.actor : event.actor,
    commit: view?.commit ?? null,
    reason: (wentLive ? await whyOf(ports, event) : null) ?? reasonOf(event),
    step: null,
    durationMs: null,
    url: ports.url(site, environment),
    lastLines: [],
    next: nextAt(event, place),
  };
}

const envelope = ({ id, type, at, stream, version, position }: Recorded) => ({ event: id, type, at, stream, version, position });

/** Up to an event of its own stream, that one included; `before` is the status right before it. */
async function deploymentUpTo(ports: Ports, id: string, belongs: (event: Recorded) => boolean) {
  let view: DeploymentView | undefined;
  let before: DeploymentView["status"] | null = null;
  for (const event of await ports.events(deploymentStream(id))) {
    if (!belongs(event)) break;
    before = view?.status ?? null;
    view = foldRow("deployments", view, [event]);
  }
  return { view, before };
}

const isUpTo = (one: Recorded, end: Recorded): boolean =>
  one.version < end.version || (one.version === end.version && one.index <= end.index);

/** Which flip an event is of; of a pin only where a rollback set it, or took it back as it failed. */
function flipOf(event: Recorded<EnvironmentEvent>): string | null {
  switch (event.type) {
    case "ReleaseWentLive":
      return event.body.reason;
    case "FlipFailed":
      return event.body.flip;
    case "EnvironmentPinned":
    case "EnvironmentUnpinned":
      return event.body.rollback === undefined ? null : "rollback";
    default:
      return null;
  }
}

type WentLive = Extract<EnvironmentEvent, { readonly type: "ReleaseWentLive" }>;
type Change = { readonly before: Live; readonly after: NonNullable<Live> };

/** What a release that went live replaced, with its commit. */
async function replacedBy(ports: Ports, { before }: Change, position: string): Promise<News["replaced"]> {
  if (before === null) return null;
  const { view } = await deploymentUpTo(ports, before.deployment, (one) => one.position <= position);
  return { ...before, commit: view?.commit ?? null };
}

/**
 * What was live as of an event, and the change of it that this sequence made. It reads as far back as it takes.
 *
 * @param stream of the environment, which the event is of or whose deployment it is of
 */
async function lastChanges({ back }: Ports, event: Recorded, stream: string, sequence: number | undefined) {
  let now: Live = null;
  for await (const one of event.stream === stream ? back(stream, event.version + 1) : back(stream)) {
    if (one.position > event.position || one.type !== "ReleaseWentLive") continue;
    const change = changeBy(one);
    now ??= change.after;
    if (sequence === undefined || change.after.sequence < sequence) break;
    if (change.after.sequence === sequence) return { now, own: change };
  }
  return { now, own: undefined };
}

const changeBy = (event: Recorded): Change => {
  const { body } = readEnvironmentEvent(event) as WentLive;
  const before = body.previous === null ? null : { deployment: body.previous.deploymentId, sequence: body.previous.sequence };
  return { before, after: { deployment: body.deploymentId, sequence: body.sequence } };
};

/** The reason that was given for the flip. */
async function whyOf({ back }: Ports, { stream, version, body: { sequence } }: Recorded<WentLive>): Promise<string | null> {
  for await (const event of back(stream, version)) {
    if (event.type !== "FlipRequested") continue;
    const { body } = readEnvironmentEvent(event) as Extract<EnvironmentEvent, { type: "FlipRequested" }>;
    if (body.sequence <= sequence) return body.sequence === sequence ? (body.why ?? null) : null;
  }
  return null;
}

function reasonOf(event: Recorded<EnvironmentEvent>): string | null {
  switch (event.type) {
    case "FlipFailed":
    case "EnvironmentPinned":
    case "EnvironmentUnpinned":
    case "EnvironmentLocked":
    case "EnvironmentUnlocked":
      return event.body.reason ?? null;
    case "AliasDriftDetected":
    case "AliasDriftEnded":
    case "EdgeDriftDetected":
    case "EdgeDriftEnded":
      return factsOf(event);
    default:
      return null;
  }
}

function nextFor({ id, status, step, site, environment }: DeploymentView, event: Recorded<DeploymentEvent>, replaced: Live): string {
  switch (status) {
    case "success":
      return replaced === null ? `shiplog status ${site}/${environment}` : `shiplog rollback ${replaced.deployment}`;
    case "failed":
      return `shiplog ${step === "build" ? "logs" : "inspect"} ${id}`;
    case "cancelled":
      return `shiplog retry ${id}`;
    case "superseded":
      return `shiplog status ${site}/${environment}`;
    case "held":
      return `shiplog ${event.type === "DeploymentHeld" && event.body.by === "lock" ? "unlock" : "unpin"} ${site}/${environment}`;
    default:
      return `shiplog events ${id} --follow`;
  }
}

function nextAt(event: Recorded<EnvironmentEvent>, place: string): string {
  switch (event.type) {
    case "EnvironmentPinned":
      return `shiplog unpin ${place}`;
    case "EnvironmentLocked":
      return `shiplog unlock ${place}`;
    case "ReleaseWentLive":
      return event.body.reason === "rollback" ? `shiplog unpin ${place}` : `shiplog why ${place}`;
    default:
      return `shiplog status ${place}`;
  }
}
