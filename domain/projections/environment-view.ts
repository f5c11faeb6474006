import { sayEdgeDrift } from "../environment/edge-drift.ts";
import type { EnvironmentEvent } from "../environment/events.ts";
import { sayDrift } from "../environment/fence.ts";
import { stand, type TakenDown } from "../environment/standing.ts";
import { isSweepEvent } from "../environment/sweep.ts";
import type { Recorded } from "../kernel/event.ts";
import { projectSweep } from "./sweep-view.ts";
import type { EnvironmentView, RoutedView } from "./views.ts";

/** Releases that a view remembers to have been live. */
const REMEMBERED = 20;
const WARNINGS = 5;
/** Releases with an address that a view remembers. */
const MAX_ROUTES = 50;
/** What a drift of the edge's table is said of, as one of an alias is of its function. */
const EDGE = "edge";

/**
 * The number of this row's shape: raised with every change of what the projection makes of the same events. A row that has
 * another number (an older engine's, or a newer one's after a step back) is folded anew from its stream when it is read.
 */
export const environmentShape = 9;

export const emptyEnvironment = (site: string, environment: string): EnvironmentView => ({
  site,
  environment,
  sequence: 0,
  live: null,
  history: [],
  flipping: null,
  standing: [],
  takenDown: [],
  waiting: null,
  pin: null,
  lock: null,
  routes: [],
  kept: [],
  marked: null,
  swept: null,
  drifts: [],
  variables: {},
  warnings: [],
  version: 0,
});

/** One event's effect on what readers see of an environment. The view is the caller's to keep: it is changed in place. */
export const projectEnvironment = (view: EnvironmentView, event: Recorded<EnvironmentEvent>): EnvironmentView => {
  view.version = event.version;
  const { at, actor } = event;
  if (isSweepEvent(event)) return projectSweep(view, event, event);
  switch (event.type) {
    case "DeploymentAdmitted":
      view.sequence = event.body.sequence;
      break;
    case "FlipRequested": {
      const { sequence, deploymentId, reason, why = null } = event.body;
      view.sequence = Math.max(view.sequence, sequence);
      view.flipping = { deploymentId, sequence, reason, since: at, why };
      if (view.waiting?.deploymentId === deploymentId) view.waiting = null;
      break;
    }
    case "FlipHeld":
      view.waiting = { deploymentId: event.body.deploymentId, sequence: event.body.sequence, since: at, by: event.body.by };
      break;
    case "ReleaseWentLive":
      goLive(view, event.body, at);
      endFlip(event.body.sequence);
      break;
    case "FlipSuperseded":
    case "FlipWithdrawn":
      endFlip(event.body.sequence);
      break;
    case "FlipFailed":
      endFlip(event.body.sequence);
      warn(`flip ${event.body.sequence} failed: ${event.body.reason}`);
      break;
    case "AliasDriftDetected":
      drift(event.body.function, sayDrift(event.body.expected, event.body.found));
      break;
    case "AliasDriftEnded":
    case "AliasFlipped":
      view.drifts = driftsBut(event.body.function);
      break;
    case "EdgeSwitched":
      view.routes = routesAfter(view.routes, event.body, at);
      view.drifts = driftsBut(EDGE);
      break;
    case "ReleaseEnded":
    case "AddressRemoved":
      view.routes = routesWithout(view.routes, event);
      break;
    case "EdgeDriftDetected":
      drift(EDGE, sayEdgeDrift(event.body));
      break;
    case "EdgeDriftEnded":
      view.drifts = driftsBut(EDGE);
      break;
    case "EnvironmentPinned":
    case "EnvironmentUnpinned":
      view.pin = event.type === "EnvironmentUnpinned" ? null : { reason: event.body.reason, actor, at };
      break;
    case "EnvironmentLocked":
    case "EnvironmentUnlocked":
      view.lock = event.type === "EnvironmentUnlocked" ? null : { ...lockOf(event.body), at };
      break;
    case "VariableSet":
    case "VariableRemoved":
      noteVariable(view, { fingerprint: null, ...event.body }, event);
      break;
    case "EdgeInvalidationFailed":
      warn(event.body.reason);
      break;
    case "VariablesRead":
    case "EdgeInvalidated":
      break;
    default:
      event satisfies never;
  }
  return view;

  function endFlip(sequence: number): void {
    if (view.flipping?.sequence === sequence) view.flipping = null;
    if (view.waiting?.sequence === sequence) view.waiting = null;
  }
  function drift(fn: string, says: string): void {
    view.drifts = [{ function: fn, at, says }, ...driftsBut(fn)];
  }
  function driftsBut(fn: string): EnvironmentView["drifts"] {
    return view.drifts.filter((drift) => drift.function !== fn);
  }
  function warn(text: string): void {
    view.warnings = [`${at} ${text}`, ...view.warnings].slice(0, WARNINGS);
  }
};

const goLive = (view: EnvironmentView, body: WentLive, at: string): void => {
  const { sequence, deploymentId, release, reason, actor } = body;
  const why = view.flipping?.sequence === sequence ? view.flipping.why : null;
  standAs(view, body, at, why);
  if (view.live !== null) {
    const { release: _release, ...before } = view.live;
    view.history = [before, ...view.history].slice(0, REMEMBERED);
  }
  view.live = { deploymentId, sequence, at, reason, actor, why, release };
};

type Locked = Extract<EnvironmentEvent, { type: "EnvironmentLocked" }>["body"];
const lockOf = ({ holder, reason, until }: Locked) => ({ holder, reason, until });

type Gone = Extract<EnvironmentEvent, { type: "ReleaseEnded" | "AddressRemoved" }>;
/** What has ended is shown until its address is taken away. */
const routesWithout = (routes: readonly RoutedView[], { type, body }: Gone): RoutedView[] =>
  type === "AddressRemoved"
    ? routes.filter(({ release }) => release !== body.release)
    : routes.map((routed) => (routed.release === body.release ? { ...routed, ended: body.reason } : routed));

type Switched = Extract<EnvironmentEvent, { type: "EdgeSwitched" }>["body"];
const routesAfter = (routes: readonly RoutedView[], { sequence, deploymentId, route, ended }: Switched, at: string): RoutedView[] => {
  const ends = new Map(ended.map(({ release, until }) => [release, until]));
  const { release, address } = route;
  const now = { deploymentId, release, address, host: `${route.server}${route.host}`, sequence, since: at, until: null, ended: null };
  const others = routes.filter((other) => other.release !== release);
  const left = others.map((other): RoutedView => {
    const until = ends.get(other.release);
    return until === undefined ? other : { ...other, until, ended: null };
  });
  return [now, ...left].slice(0, MAX_ROUTES);
};

/** What a release that goes live means for the way back, by the rules' own word. */
const standAs = (view: EnvironmentView, wentLive: WentLive, at: string, why: string | null): void => {
  const { live, standing } = view;
  const before = new Map(view.takenDown.map((down) => [down.deploymentId, { ...down, why: down.why ?? undefined }]));
  const state = { live, standing, takenDown: new Map<string, TakenDown>(before), unfit: new Map() };
  stand(state, wentLive, why ?? undefined);
  view.standing = standing;
  view.takenDown = [...state.takenDown]
    .map(([deploymentId, down]) => ({ ...down, deploymentId, at: before.get(deploymentId)?.at ?? at, why: down.why ?? null }))
    .sort((a, b) => b.rollback - a.rollback);
};
type WentLive = Extract<EnvironmentEvent, { type: "ReleaseWentLive" }>["body"];

/** Events of two at once may come in the other order than the secret has them: its own order counts. */
const noteVariable = (
  view: EnvironmentView,
  { name, fingerprint, revision }: { name: string; fingerprint: string | null; revision: number },
  { at, actor }: Pick<Recorded, "at" | "actor">,
): void => {
  const before = Object.hasOwn(view.variables, name) ? view.variables[name] : undefined;
  if (revision > (before?.revision ?? 0)) view.variables = { ...view.variables, [name]: { fingerprint, revision, at, actor } };
};
