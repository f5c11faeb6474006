import { type Refusal, refuse } from "../kernel/decider.ts";
import type { EnvironmentCommand } from "./commands.ts";
import type { EnvironmentEvent } from "./events.ts";
import { isBeingSwept, sayBeingSwept } from "./keep.ts";
import type { Environment, Sweep } from "./state.ts";
import { protectedIn } from "./verdict.ts";

type Command<T extends EnvironmentCommand["type"]> = Extract<EnvironmentCommand, { type: T }>;
type Body<T extends EnvironmentEvent["type"]> = Extract<EnvironmentEvent, { type: T }>["body"];
type Outcome = readonly EnvironmentEvent[] | Refusal;

/** Releases that people keep by name in one environment. */
export const MAX_KEPT = 50;
/** Releases of one mark. */
export const MAX_MARKED = 150;

/** A release is kept for as long as somebody says so. */
export function keepRelease({ deploymentId, reason, claims }: Command<"KeepRelease">, state: Environment): Outcome {
  if (state.kept.has(deploymentId)) return [];
  if (isBeingSwept(state, deploymentId)) return refuse("release.swept", sayBeingSwept(deploymentId));
  // what has no release in the log may be among what goes
  if (isClaimed(state, claims))
    return refuse("environment.sweeping", "old releases are being swept at this moment: try it again in some minutes");
  if (state.kept.size >= MAX_KEPT)
    return refuse("release.too-many-kept", `${MAX_KEPT} releases are kept by name here: let one of them go first (shiplog unkeep)`);
  return [{ type: "ReleaseKept", v: 1, body: { deploymentId, reason } }];
}

export function unkeepRelease({ deploymentId, reason }: Command<"UnkeepRelease">, state: Environment): Outcome {
  if (!state.kept.has(deploymentId)) return [];
  return [{ type: "ReleaseUnkept", v: 1, body: { deploymentId, ...(reason !== undefined && { reason }) } }];
}

/** What is to go is named first, one list at a time: from then on somebody may object. */
export function markReleases({ type: _, releases, others, ...rest }: Command<"MarkReleases">, state: Environment): Outcome {
  if (state.sweep !== null) return [];
  const isProtected = protectedIn(state, rest.keep.releases);
  const going = releases.filter((one) => isProtected(one) === undefined);
  if (going.length === 0 && others.named.length === 0 && others.files === 0) return [];
  return [{ type: "ReleasesMarked", v: 1, body: { mark: state.marks + 1, ...rest, releases: [...going], others } }];
}

/**
 * Claims what was marked: from then on nobody may go back to it, and who takes it away may do so until `until`. What has been
 * chosen since it was marked stays. Never beside a flip; a claim whose time is over is taken over.
 */
export function beginSweep({ mark, releases, keep, until, at, claims, flipped }: Command<"BeginSweep">, state: Environment): Outcome {
  const { sweep } = state;
  // whoever claimed it found that it was the time
  if (sweep === null || sweep.mark !== mark || (sweep.until === null && sweep.after > at)) return [];
  if (state.open.size > 0 || isClaimed(state, claims)) return [];
  // a flip that was asked for since may have ended already, and whoever is at it go on
  if (flipped !== null && flipped !== state.flipped) return [];
  const isProtected = protectedIn(state, keep.releases);
  // what was claimed may be half gone: it stays claimed
  const marked = new Set(sweep.releases.map(({ deploymentId }) => deploymentId));
  const going = releases.filter((one) => marked.has(one.deploymentId) && (sweep.until !== null || isProtected(one) === undefined));
  return [{ type: "SweepBegan", v: 1, body: { mark, releases: [...going], keep, until } }];
}

/** Whoever claimed it lets it go, where something is being published: it waits for the next try. */
export function putOffSweep({ mark, reason }: Command<"PutOffSweep">, state: Environment): Outcome {
  return isAt(state.sweep, mark) ? [{ type: "SweepPutOff", v: 1, body: { mark, reason } }] : [];
}

export function endSweep({ type: _, ...body }: Command<"EndSweep">, state: Environment): Outcome {
  return isAt(state.sweep, body.mark) ? [{ type: "SweepEnded", v: 1, body }] : [];
}

/** A mark of which nothing is to go any more, or of which nobody knows what it was. */
export function dropMark({ mark, reason }: Command<"DropMark">, state: Environment): Outcome {
  const { sweep } = state;
  return sweep?.mark === mark && sweep.until === null ? [{ type: "MarkDropped", v: 1, body: { mark, reason } }] : [];
}

/** Which claims are in force: those that end between these, as clocks go. One that ends later was dated by a clock far ahead: it is over. */
export type Claims = { readonly after: string; readonly upTo: string };

/** Whether somebody may be taking things away, so that nothing may be published beside, and nobody else takes it over. */
export const isClaimed = ({ sweep }: Pick<Environment, "sweep">, { after, upTo }: Claims): boolean =>
  sweep !== null && sweep.until !== null && sweep.until > after && sweep.until <= upTo;

const isAt = (sweep: Sweep | null, mark: number): boolean => sweep !== null && sweep.mark === mark && sweep.until !== null;

const sweepTypes = ["ReleaseKept", "ReleaseUnkept", "ReleasesMarked", "SweepBegan", "SweepPutOff", "SweepEnded", "MarkDropped"] as const;
export type SweepEvent = Extract<EnvironmentEvent, { type: (typeof sweepTypes)[number] }>;
/** What is told of releases that are kept and swept. */
export const isSweepEvent = <E extends EnvironmentEvent>(event: E): event is Extract<E, { type: SweepEvent["type"] }> =>
  (sweepTypes as readonly string[]).includes(event.type);

/** What the state makes of a sweep's events. */
export const evolveSweep = (state: Environment, event: SweepEvent): void => {
  switch (event.type) {
    case "ReleaseKept":
      state.kept.add(event.body.deploymentId);
      break;
    case "ReleaseUnkept":
      state.kept.delete(event.body.deploymentId);
      break;
    case "ReleasesMarked": {
      const { mark, list, digest, releases, sweepAfter: after } = event.body;
      state.marks = mark;
      state.sweep = { mark, list, digest, releases, after, until: null };
      break;
    }
    case "SweepBegan":
      claim(state, event.body);
      break;
    case "SweepPutOff":
      if (state.sweep !== null) state.sweep.until = null;
      break;
    case "SweepEnded":
      // who has looked at one of these before it was claimed may ask for it still
      state.swept = new Set(state.sweep?.releases.map(({ deploymentId }) => deploymentId));
      state.sweep = null;
      break;
    case "MarkDropped":
      state.sweep = null;
      break;
    default:
      event satisfies never;
  }
};
/** What goes is no target of a rollback any more, and whoever stood still before it asked for its flip asks in vain. */
const claim = (state: Environment, { releases, until }: Body<"SweepBegan">): void => {
  const { sweep } = state;
  if (sweep === null) return;
  sweep.until = until;
  sweep.releases = releases;
  const gone = new Set(releases.map(({ deploymentId }) => deploymentId));
  for (const deploymentId of gone) {
    state.pending.delete(deploymentId);
    state.everLive.delete(deploymentId);
    state.takenDown.delete(deploymentId);
    state.unfit.delete(deploymentId);
  }
  state.standing = state.standing.filter((deploymentId) => !gone.has(deploymentId));
};
