import type { EnvironmentEvent } from "../environment/events.ts";
import { sayDrift } from "../environment/fence.ts";
import type { Recorded } from "../kernel/event.ts";
import type { EnvironmentView } from "./views.ts";

/** Releases that a view remembers to have been live. */
const REMEMBERED = 20;
const WARNINGS = 5;

/**
 * The number of this row's shape: raised with every change of what the projection makes of the same events. A row that has
 * another number (an older engine's, or a newer one's after a step back) is folded anew from its stream when it is read.
 */
export const environmentShape = 2;

export const emptyEnvironment = (site: string, environment: string): EnvironmentView => ({
  site,
  environment,
  sequence: 0,
  live: null,
  history: [],
  flipping: null,
  waiting: null,
  pin: null,
  lock: null,
  drifts: [],
  warnings: [],
  version: 0,
});

/** One event's effect on what readers see of an environment. The view is the caller's to keep: it is changed in place. */
export const projectEnvironment = (view: EnvironmentView, event: Recorded<EnvironmentEvent>): EnvironmentView => {
  view.version = event.version;
  const { at, actor } = event;
  switch (event.type) {
    case "DeploymentAdmitted":
      view.sequence = event.body.sequence;
      break;
    case "FlipRequested": {
      const { sequence, deploymentId, reason } = event.body;
      view.sequence = Math.max(view.sequence, sequence);
      view.flipping = { deploymentId, sequence, reason, since: at };
      if (view.waiting?.deploymentId === deploymentId) view.waiting = null;
      break;
    }
    case "FlipHeld":
      view.waiting = { deploymentId: event.body.deploymentId, sequence: event.body.sequence, since: at, by: event.body.by };
      break;
    case "ReleaseWentLive": {
      const { sequence, deploymentId, release, reason, actor: asked } = event.body;
      if (view.live !== null) view.history = [view.live, ...view.history].slice(0, REMEMBERED);
      view.live = { deploymentId, sequence, at, reason, actor: asked, release };
      endFlip(sequence);
      break;
    }
    case "FlipSuperseded":
    case "FlipWithdrawn":
      endFlip(event.body.sequence);
      break;
    case "FlipFailed":
      endFlip(event.body.sequence);
      warn(`flip ${event.body.sequence} failed: ${event.body.reason}`);
      break;
    case "AliasDriftDetected":
      view.drifts = [
        { function: event.body.function, at, says: sayDrift(event.body.expected, event.body.found) },
        ...driftsBut(event.body.function),
      ];
      break;
    case "AliasDriftEnded":
    case "AliasFlipped":
      view.drifts = driftsBut(event.body.function);
      break;
    case "EnvironmentPinned":
      view.pin = { reason: event.body.reason, actor, at };
      break;
    case "EnvironmentUnpinned":
      view.pin = null;
      break;
    case "EnvironmentLocked":
      view.lock = { holder: event.body.holder, reason: event.body.reason, until: event.body.until, at };
      break;
    case "EnvironmentUnlocked":
      view.lock = null;
      break;
    case "EdgeInvalidationFailed":
      warn(event.body.reason);
      break;
    case "EdgeInvalidated":
      break;
  }
  return view;

  function endFlip(sequence: number): void {
    if (view.flipping?.sequence === sequence) view.flipping = null;
    if (view.waiting?.sequence === sequence) view.waiting = null;
  }
  function driftsBut(fn: string): EnvironmentView["drifts"] {
    return view.drifts.filter((drift) => drift.function !== fn);
  }
  function warn(text: string): void {
    view.warnings = [`${at} ${text}`, ...view.warnings].slice(0, WARNINGS);
  }
};
