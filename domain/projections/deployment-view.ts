import type { DeploymentEvent } from "../deployment/events.ts";
import type { Recorded } from "../kernel/event.ts";
import type { DeploymentView, Status } from "./views.ts";

/**
 * The number of this row's shape: raised with every change of what the projection makes of the same events. A row that has
 * another number (an older engine's, or a newer one's after a step back) is folded anew from its stream when it is read.
 */
export const deploymentShape = 4;

/** One event's effect on what readers see of a deployment. The view is the caller's to keep: it is changed in place. */
export const projectDeployment = (view: DeploymentView | undefined, event: Recorded<DeploymentEvent>): DeploymentView | undefined => {
  if (event.type === "DeploymentQueued") return queued(event);
  if (view === undefined) return undefined;
  view.version = event.version;
  const { at } = event;
  switch (event.type) {
    case "BuildDeferred":
      view.reason = event.body.reason;
      break;
    case "BuildStarted":
      beginBuild(view, event.body, at);
      if (view.status === "queued") become("building", "build");
      break;
    case "BuildSucceeded":
      view.buildId = event.body.buildId;
      view.releaseId = event.body.releaseId;
      view.artifact = event.body.artifact;
      view.reusedFrom = event.body.reusedFrom ?? null;
      view.builtAt = at;
      become("built", "publish");
      break;
    case "ReleaseStarted":
      view.warnings.push(...(event.body.warnings ?? []));
      become("deploying", "publish");
      break;
    case "VersionsPublished":
      view.variables.published = event.body.variables ?? null;
      view.step = "check";
      break;
    case "ChecksPassed":
      view.release = event.body.release;
      view.step = "flip";
      break;
    case "DeploymentHeld":
      become("held", "flip");
      view.reason = event.body.reason ?? (event.body.by === "pin" ? "the environment is pinned" : "the environment is locked");
      break;
    case "FlipStarted":
      become("deploying", "flip");
      break;
    case "CancelRequested":
      become("cancelling", "cancel");
      view.reason = event.body.reason ?? null;
      break;
    case "DeploymentSucceeded":
      end("success");
      view.step = null;
      break;
    case "DeploymentFailed":
      end("failed");
      view.step = event.body.step;
      view.reason = event.body.reason;
      break;
    case "DeploymentCancelled":
      end("cancelled");
      view.reason = event.body.reason;
      break;
    case "DeploymentSuperseded":
      end("superseded");
      view.reason = newerIs(event.body.by);
      break;
    case "ReleaseSwept":
      view.swept = { at, rule: event.body.rule, keep: event.body.keep };
      break;
    case "BuildFailed":
    case "AssetsPublished":
    case "ChecksFailed":
      break;
    default:
      event satisfies never;
  }
  return view;

  function become(status: Status, step: DeploymentView["step"]): void {
    if (view === undefined) return;
    view.status = status;
    view.step = step;
    view.reason = null;
    view.since = at;
  }
  function end(status: Status): void {
    become(status, view?.step ?? null);
    if (view !== undefined) view.endedAt = at;
  }
};

const beginBuild = (view: DeploymentView, { buildId, logs, variables }: Began, at: string): void => {
  view.buildId = buildId;
  view.logs = logs ?? null;
  view.variables.built = variables ?? null;
  view.buildStartedAt = at;
};
type Began = Extract<DeploymentEvent, { type: "BuildStarted" }>["body"];

const newerIs = ({ deploymentId, sequence }: { sequence: number; deploymentId?: string | undefined }): string =>
  deploymentId === undefined ? `sequence ${sequence} is newer` : `${deploymentId} (sequence ${sequence}) is newer`;

const queued = ({
  body: { sequence, request },
  actor,
  at,
  version,
}: Extract<Recorded<DeploymentEvent>, { type: "DeploymentQueued" }>): DeploymentView => ({
  id: request.deploymentId,
  site: request.site,
  environment: request.environment,
  sequence,
  status: "queued",
  step: "queue",
  reason: null,
  actor: request.requestedBy || actor,
  trigger: request.trigger,
  commit: request.commit ?? null,
  why: request.reason ?? null,
  retryOf: request.retryOf ?? null,
  reusedFrom: null,
  buildId: null,
  logs: null,
  releaseId: null,
  artifact: null,
  release: null,
  variables: { built: request.reuse?.variables ?? null, published: null },
  warnings: [],
  swept: null,
  queuedAt: at,
  buildStartedAt: null,
  builtAt: null,
  endedAt: null,
  since: at,
  version,
});
