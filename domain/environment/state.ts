import { isReached, type Release } from "../deployment/shapes.ts";
import type { EnvironmentEvent, FlipReason, LiveRelease } from "./events.ts";
import type { Fence, FoundAlias } from "./fence.ts";
import type { GoRule, Keep } from "./keep.ts";
import { forgetOld } from "./remembered.ts";
import type { Route } from "./route.ts";
import { type Standing, stand } from "./standing.ts";
import { evolveSweep, isSweepEvent } from "./sweep.ts";

export type Flip = {
  actor: string;
  sequence: number;
  deploymentId: string;
  release: Release;
  reason: FlipReason;
  why?: string | undefined;
  forced?: boolean;
};
/** A release that was live here. `sequence`: the last that it went live with. */
export type EverLive = { deploymentId: string; sequence: number; release: Release };
/** One that the state does not remember, by its deployment's own stream. `swept`: when it was taken away, and by which rule */
export type PastRelease = EverLive & { readonly swept?: { readonly at: string; readonly rule: GoRule; readonly keep: Keep } };

/** What is marked to be swept. */
export type Sweep = {
  mark: number;
  list: string;
  digest: string;
  /** releases that go; once it is claimed, those that were claimed */
  releases: readonly { deploymentId: string; release: string; rule: GoRule }[];
  /** it may begin from then on, ISO 8601 */
  after: string;
  /** claimed until then; null: nobody is at it */
  until: string | null;
};

/**
 * A release in the edge's table; `until`: when what names it is sent to what is live instead, null while it is live itself.
 * `ended`: why nobody is sent to it any more.
 */
export type Routed = {
  deploymentId: string;
  route: Route;
  /** names of the functions that have the address */
  functions: readonly string[];
  until: string | null;
  ended: "window" | "cut" | null;
};

/** Only what `decide` and the consumers need to know, and no more of it with every year (`remembered.ts`). */
export type Environment = Standing & {
  /** highest sequence given so far */
  sequence: number;
  latest: string | null;
  /** deployments that have not asked to go live yet, with the sequence that each was admitted with */
  pending: Map<string, number>;
  /** of deployments with a sequence up to this one, some that have not asked are not in `pending` any more */
  forgottenUpTo: number;
  /** highest sequence that a flip was requested with: no alias can be moved with one at or below it */
  flipped: number;
  /** the newest that was chosen to go live: deployments at or below it are history. A restore chooses nothing. */
  chosen: number;
  /** flips that were requested and have not ended, by sequence */
  open: Map<number, Flip>;
  live: LiveRelease | null;
  /** the last that were live here, by deployment */
  everLive: Map<string, EverLive>;
  waiting: (Flip & { by: "pin" | "lock" }) | null;
  /** what each function's alias was last seen moved to */
  aliases: Map<string, { sequence: number; deploymentId: string; version: string }>;
  /** what each flip moves the aliases to, by sequence, until every one of its functions was seen moved by it or a newer one */
  targets: Map<number, { deploymentId: string; versions: Record<string, string> }>;
  drift: Map<string, string>;
  /** what the edge's table says is live; null where nothing was ever written there */
  edge: { distribution: string; sequence: number; route: Route } | null;
  /** releases that have a row in the edge's table, by the id that their pages name */
  routes: Map<string, Routed>;
  /** numbers of addresses that were taken away: none is ever used again (`isRemoved`) */
  removedAddresses: Set<number>;
  /** any number up to this one may have been taken away */
  removedUpTo: number;
  /** what the row of what is live was found to say instead, null for nothing at all; undefined: what it should */
  edgeDrift: string | null | undefined;
  pinned: boolean;
  /** sequence of the rollback that set the pin; null: a person did, or it is of an older release */
  pinnedBy: number | null;
  /** the deployment that was live when it was pinned, or that the rollback which pinned it went to */
  pinnedRelease: string | null;
  /** deployments whose releases people keep by name */
  kept: Set<string>;
  /** number of the last mark */
  marks: number;
  sweep: Sweep | null;
  /** deployments whose releases went with the last sweep that ended */
  swept: Set<string>;
  lock: { holder: string; until: string | null } | null;
  /** what was last done to each variable: its fingerprint, or null where it was removed */
  variables: Map<string, { fingerprint: string | null; revision: number }>;
};

export const initial = (): Environment => ({
  sequence: 0,
  latest: null,
  pending: new Map(),
  forgottenUpTo: 0,
  flipped: 0,
  chosen: 0,
  open: new Map(),
  live: null,
  everLive: new Map(),
  standing: [],
  takenDown: new Map(),
  unfit: new Map(),
  waiting: null,
  aliases: new Map(),
  targets: new Map(),
  drift: new Map(),
  edge: null,
  routes: new Map(),
  removedAddresses: new Set(),
  removedUpTo: 0,
  edgeDrift: undefined,
  pinned: false,
  pinnedBy: null,
  pinnedRelease: null,
  kept: new Set(),
  marks: 0,
  sweep: null,
  swept: new Set(),
  lock: null,
  variables: new Map(),
});

export const evolve = (state: Environment, event: EnvironmentEvent): Environment => {
  if (isSweepEvent(event)) {
    evolveSweep(state, event);
    forgetOld(state);
    return state;
  }
  switch (event.type) {
    case "DeploymentAdmitted":
      state.sequence = event.body.sequence;
      state.latest = event.body.deploymentId;
      state.pending.set(event.body.deploymentId, event.body.sequence);
      break;
    case "FlipRequested":
      beginFlip(state, event.body);
      break;
    case "FlipHeld":
      holdFlip(state, event.body);
      break;
    case "AliasFlipped":
      moveAlias(state, event.body);
      break;
    case "ReleaseWentLive":
      goLive(state, event.body);
      break;
    case "FlipFailed":
      if (event.body.unfit) state.unfit.set(event.body.deploymentId, event.body.reason);
      endFlip(state, event.body);
      break;
    case "FlipSuperseded":
    case "FlipWithdrawn":
      endFlip(state, event.body);
      break;
    case "AliasDriftDetected":
      state.drift.set(event.body.function, driftKey(event.body.found));
      break;
    case "AliasDriftEnded":
      state.drift.delete(event.body.function);
      break;
    case "EnvironmentPinned":
      pinTo(state, event.body);
      break;
    case "EnvironmentUnpinned":
      Object.assign(state, { pinned: false, pinnedBy: null, pinnedRelease: null });
      break;
    case "EnvironmentLocked":
      state.lock = { holder: event.body.holder, until: event.body.until };
      break;
    case "EnvironmentUnlocked":
      state.lock = null;
      break;
    case "VariableSet":
    case "VariableRemoved":
      noteVariable(state, { fingerprint: null, ...event.body });
      break;
    case "VariablesRead":
      break;
    case "EdgeSwitched":
      switchEdge(state, event.body);
      break;
    case "ReleaseEnded":
      endRouted(state, event.body);
      break;
    case "AddressRemoved":
      state.routes.delete(event.body.release);
      state.removedAddresses.add(event.body.address);
      break;
    case "EdgeDriftDetected":
    case "EdgeDriftEnded":
      state.edgeDrift = event.type === "EdgeDriftEnded" ? undefined : event.body.found;
      break;
    case "EdgeInvalidated":
    case "EdgeInvalidationFailed":
      break;
    default:
      event satisfies never;
  }
  forgetOld(state);
  return state;
};

type Requested = Extract<EnvironmentEvent, { type: "FlipRequested" }>["body"];
const beginFlip = (state: Environment, { sequence, deploymentId, release, reason, actor, why, forced }: Requested): void => {
  state.sequence = Math.max(state.sequence, sequence);
  state.flipped = Math.max(state.flipped, sequence);
  const waited = state.waiting?.deploymentId === deploymentId ? state.waiting.sequence : undefined;
  const order = waited ?? state.pending.get(deploymentId) ?? sequence;
  if (reason !== "restore") state.chosen = Math.max(state.chosen, reason === "deploy" ? order : sequence);
  state.open.set(sequence, { sequence, deploymentId, release, reason, actor, why, forced: forced === true });
  state.targets.set(sequence, { deploymentId, versions: versionsOf(release) });
  if (waited !== undefined) state.waiting = null;
  state.pending.delete(deploymentId);
};

type WentLive = Extract<EnvironmentEvent, { type: "ReleaseWentLive" }>["body"];
const goLive = (state: Environment, body: WentLive): void => {
  const { sequence, deploymentId, release } = body;
  stand(state, body, state.open.get(sequence)?.why);
  state.open.delete(sequence);
  state.live = { sequence, deploymentId };
  state.everLive.set(deploymentId, { deploymentId, sequence, release });
};

type Pinned = Extract<EnvironmentEvent, { type: "EnvironmentPinned" }>["body"];
const pinTo = (state: Environment, { rollback, deploymentId }: Pinned): void => {
  state.pinned = true;
  state.pinnedBy = rollback ?? null;
  state.pinnedRelease = deploymentId;
};

type Held = Extract<EnvironmentEvent, { type: "FlipHeld" }>["body"];
const holdFlip = (state: Environment, { sequence, deploymentId, release, actor, by }: Held): void => {
  state.waiting = { sequence, deploymentId, release, reason: "deploy", actor, by };
  state.pending.delete(deploymentId);
};

type Moved = Extract<EnvironmentEvent, { type: "AliasFlipped" }>["body"];
const moveAlias = (state: Environment, { function: name, sequence, deploymentId, to: version }: Moved): void => {
  state.aliases.set(name, { sequence, deploymentId, version });
  state.drift.delete(name);
  forgetTargets(state);
};

const endFlip = (state: Environment, { sequence, deploymentId }: LiveRelease): void => {
  state.open.delete(sequence);
  state.pending.delete(deploymentId);
  if (state.waiting?.sequence === sequence) state.waiting = null;
};

/** Two at once may write their events in the other order than the secret: its own order counts. */
const noteVariable = (
  { variables }: Environment,
  { name, fingerprint, revision }: { name: string; fingerprint: string | null; revision: number },
): void => {
  if (revision > (variables.get(name)?.revision ?? 0)) variables.set(name, { fingerprint, revision });
};

type Switched = Extract<EnvironmentEvent, { type: "EdgeSwitched" }>["body"];
const switchEdge = (state: Environment, { sequence, deploymentId, distribution, route, ended }: Switched): void => {
  for (const { release, until } of ended) {
    const left = state.routes.get(release);
    if (left !== undefined) state.routes.set(release, { ...left, until, ended: null });
  }
  const functions = (state.open.get(sequence)?.release.functions ?? []).filter(isReached).map(({ name }) => name);
  state.routes.set(route.release, { deploymentId, route, functions, until: null, ended: null });
  state.edge = { distribution, sequence, route };
  state.edgeDrift = undefined;
};

type Ended = Extract<EnvironmentEvent, { type: "ReleaseEnded" }>["body"];
const endRouted = ({ routes }: Environment, { release, reason }: Ended): void => {
  const routed = routes.get(release);
  if (routed !== undefined) routes.set(release, { ...routed, ended: reason });
};

/** The lock that is in force at that time, if any. */
export const lockAt = (state: Environment, at: string): NonNullable<Environment["lock"]> | null =>
  state.lock !== null && (state.lock.until === null || state.lock.until > at) ? state.lock : null;

/** Two looks that found the same have the same key, in whatever order they name it. */
export const driftKey = (found: FoundAlias | null): string => {
  if (found === null) return "null";
  const { version, description, weights = {} } = found;
  const others = Object.entries(weights).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ version, description, ...(others.length > 0 && { weights: Object.fromEntries(others) }) });
};

const versionsOf = ({ functions }: Release): Record<string, string> =>
  Object.fromEntries(functions.map(({ name, version }) => [name, version]));

/** Targets that no alias can be found at any more, unless somebody put it there by hand. */
const forgetTargets = ({ targets, aliases }: Environment): void => {
  for (const [sequence, { versions }] of targets)
    if (Object.keys(versions).every((name) => (aliases.get(name)?.sequence ?? 0) >= sequence)) targets.delete(sequence);
};

/** Whether a flip that was asked for moves this function's alias so: nothing else is ever taken for a move of ours. */
export const isTarget = ({ targets }: Environment, { sequence, deploymentId }: Fence, name: string, version: string): boolean => {
  const target = targets.get(sequence);
  return target?.deploymentId === deploymentId && target.versions[name] === version;
};
