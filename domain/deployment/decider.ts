import { type Decider, type Refusal, refuse } from "../kernel/decider.ts";
import { withReason } from "../kernel/reason.ts";
import type { DeploymentCommand } from "./commands.ts";
import type { DeploymentEvent } from "./events.ts";
import type { PublishedFunction, Request } from "./shapes.ts";

type Status =
  | "absent"
  | "queued"
  | "building"
  | "built"
  | "deploying"
  | "held"
  | "cancelling"
  | "success"
  | "failed"
  | "cancelled"
  | "superseded";

/** Only what `decide` and the consumers need to know. History belongs to the projections. */
export type Deployment = {
  status: Status;
  sequence: number;
  request: Request | null;
  /** why the builder had no room, as it was said last */
  deferred: string | null;
  buildId: string | null;
  releaseId: string | null;
  assets: boolean;
  /** the versions of its functions, as whoever published them first said; null before */
  functions: readonly PublishedFunction[] | null;
  /** every version was checked: it may go live */
  checked: boolean;
  /** a flip is under way: too late to cancel */
  flipping: boolean;
  /** what there was of its release was taken away, or is being */
  swept: boolean;
};

export const hasEnded = ({ status }: Deployment): boolean =>
  status === "success" || status === "failed" || status === "cancelled" || status === "superseded";

export const deployment: Decider<DeploymentCommand, Deployment, DeploymentEvent> = {
  shape: 2,
  initial: () => ({
    status: "absent",
    sequence: 0,
    request: null,
    deferred: null,
    buildId: null,
    releaseId: null,
    assets: false,
    functions: null,
    checked: false,
    flipping: false,
    swept: false,
  }),

  evolve(state, event) {
    switch (event.type) {
      case "DeploymentQueued":
        state.status = "queued";
        state.sequence = event.body.sequence;
        state.request = event.body.request;
        break;
      case "BuildDeferred":
        state.deferred = event.body.reason;
        break;
      case "BuildStarted":
        if (state.status === "queued") state.status = "building";
        state.buildId = event.body.buildId;
        break;
      case "BuildSucceeded":
        state.status = "built";
        state.buildId = event.body.buildId;
        state.releaseId = event.body.releaseId;
        break;
      case "ReleaseStarted":
        state.status = "deploying";
        break;
      case "AssetsPublished":
        state.assets = true;
        break;
      case "VersionsPublished":
        state.functions = event.body.functions;
        break;
      case "ChecksPassed":
        state.checked = true;
        break;
      case "DeploymentHeld":
        state.status = "held";
        break;
      case "FlipStarted":
        state.status = "deploying";
        state.flipping = true;
        break;
      case "CancelRequested":
        state.status = "cancelling";
        break;
      case "DeploymentSucceeded":
        state.status = "success";
        break;
      case "DeploymentFailed":
        state.status = "failed";
        break;
      case "DeploymentCancelled":
        state.status = "cancelled";
        break;
      case "DeploymentSuperseded":
        state.status = "superseded";
        break;
      case "ReleaseSwept":
        state.swept = true;
        break;
      case "BuildFailed":
      case "ChecksFailed":
        break;
    }
    return state;
  },

  decide(given, state) {
    const command = withReason(given);
    if (command.type === "QueueDeployment") return state.status === "absent" ? queue(command) : [];
    if (command.type === "DropRequest") return state.status === "absent" ? drop(command) : [];
    if (state.status === "absent") return refuse("deployment.unknown", "it was never requested");
    switch (command.type) {
      case "RecordBuildDeferred":
        // once for each reason, however long it lasts
        return state.status === "queued" && state.buildId === null && state.deferred !== command.reason
          ? [{ type: "BuildDeferred", v: 1, body: body(command) }]
          : [];
      case "RecordBuildStarted":
        return buildStarted(command, state);
      case "RecordBuildSucceeded":
      case "RecordBuildFailed":
      case "RecordBuildStopped":
        return buildEnded(command, state);
      case "StartRelease":
        if (state.status === "built") return [{ type: "ReleaseStarted", v: 1, body: body(command) }];
        return state.status === "queued" || state.status === "building"
          ? refuse("build.unfinished", "its build has not finished")
          : publishing(state, []);
      case "RecordAssets":
        return publishing(state, state.assets ? [] : [{ type: "AssetsPublished", v: 1, body: body(command) }]);
      case "RecordVersions":
        return publishing(state, state.functions !== null ? [] : [{ type: "VersionsPublished", v: 1, body: body(command) }]);
      case "RecordChecksPassed":
        return publishing(state, state.checked ? [] : [{ type: "ChecksPassed", v: 1, body: body(command) }]);
      case "RecordChecksFailed":
        // once they passed, a repeated check that fails comes too late: its flip may be under way
        return publishing(
          state,
          state.checked
            ? []
            : [
                { type: "ChecksFailed", v: 1, body: body(command) },
                { type: "DeploymentFailed", v: 1, body: { step: "check", reason: command.reason } },
              ],
        );
      case "HoldDeployment":
        return state.status === "deploying" && state.checked && !state.flipping
          ? [{ type: "DeploymentHeld", v: 1, body: body(command) }]
          : [];
      case "StartFlip":
        return startFlip(command, state);
      case "SucceedDeployment":
        if (state.status === "success") return [];
        return hasEnded(state) ? ended(state) : [{ type: "DeploymentSucceeded", v: 1, body: { sequence: command.sequence } }];
      case "FailDeployment":
        return fail(command, state);
      case "SupersedeDeployment":
        return supersede(command, state);
      case "RequestCancel":
        return cancel(command, state);
      case "SweepRelease":
        if (!hasEnded(state)) return refuse("deployment.running", `it is still ${state.status}`);
        return state.swept ? [] : [{ type: "ReleaseSwept", v: 1, body: body(command) }];
    }
  },
};

type Command<T extends DeploymentCommand["type"]> = Extract<DeploymentCommand, { type: T }>;
type Outcome = readonly DeploymentEvent[] | Refusal;

const body = <C extends { type: string }>({ type: _, ...rest }: C): Omit<C, "type"> => rest;
const ended = (state: Deployment): Refusal => refuse("deployment.ended", `it has already ended: ${state.status}`);
const cancelled = (reason: string): DeploymentEvent => ({ type: "DeploymentCancelled", v: 1, body: { reason } });

function queue({ sequence, request }: Command<"QueueDeployment">): Outcome {
  const queued: DeploymentEvent = { type: "DeploymentQueued", v: 1, body: { sequence, request } };
  if (request.reuse === undefined) return [queued];
  const { from, buildId, releaseId, artifact } = request.reuse;
  return [queued, { type: "BuildSucceeded", v: 1, body: { buildId, releaseId, artifact, reusedFrom: from } }];
}

/** In one commit: nothing begins in between. */
function drop({ sequence, request, reason }: Command<"DropRequest">): Outcome {
  return [
    { type: "DeploymentQueued", v: 1, body: { sequence, request } },
    { type: "DeploymentFailed", v: 1, body: { step: "queue", reason } },
  ];
}

/** A build that belongs to nobody is refused, so that its starter stops it. */
function buildStarted(command: Command<"RecordBuildStarted">, state: Deployment): Outcome {
  if (state.buildId === command.buildId) return [];
  if (state.buildId !== null) return refuse("build.other", `build ${state.buildId} is its build`);
  if (state.status !== "queued" && state.status !== "cancelling") return ended(state);
  return [{ type: "BuildStarted", v: 1, body: body(command) }];
}

/** Reports of a build come twice, late, and before the report that it began. */
function buildEnded(command: Command<"RecordBuildSucceeded" | "RecordBuildFailed" | "RecordBuildStopped">, state: Deployment): Outcome {
  const { buildId } = command;
  if (state.buildId !== null && buildId !== null && state.buildId !== buildId)
    return refuse("build.other", `build ${state.buildId} is its build`);
  // who looked before another delivery started it knows nothing of it
  if (state.buildId !== null && buildId === null) return [];
  const began: DeploymentEvent[] = state.buildId === null && buildId !== null ? [{ type: "BuildStarted", v: 1, body: { buildId } }] : [];
  if (state.status === "cancelling") return [...began, cancelled(whyCancelled(command))];
  if (state.status !== "queued" && state.status !== "building") return [];
  if (command.type === "RecordBuildSucceeded") {
    const { artifact, exported } = command;
    const releaseId = state.request?.deploymentId;
    if (releaseId === undefined) return refuse("deployment.unknown", "it was never requested");
    return [
      ...began,
      { type: "BuildSucceeded", v: 1, body: { buildId: command.buildId, releaseId, artifact, ...(exported && { exported }) } },
    ];
  }
  const { reason } = command;
  const failed =
    command.type === "RecordBuildFailed"
      ? { buildId, status: command.status, reason, ...(command.phase && { phase: command.phase }) }
      : { buildId, status: "STOPPED", reason };
  return [...began, { type: "BuildFailed", v: 1, body: failed }, { type: "DeploymentFailed", v: 1, body: { step: "build", reason } }];
}

const whyCancelled = (command: Command<"RecordBuildSucceeded" | "RecordBuildFailed" | "RecordBuildStopped">): string =>
  command.type === "RecordBuildStopped"
    ? command.reason
    : command.type === "RecordBuildSucceeded"
      ? "its build finished while it was being cancelled; nothing of it goes live"
      : "its build failed while it was being cancelled";

function publishing(state: Deployment, events: readonly DeploymentEvent[]): Outcome {
  if (hasEnded(state) && state.status !== "success") return ended(state);
  return state.status === "deploying" ? events : [];
}

function startFlip({ sequence }: Command<"StartFlip">, state: Deployment): Outcome {
  if (state.flipping || state.status === "success") return [];
  if (hasEnded(state)) return ended(state);
  return state.checked
    ? [{ type: "FlipStarted", v: 1, body: { sequence } }]
    : refuse("deployment.unchecked", "its versions have not passed their checks");
}

/** Once a flip is under way the environment alone says how it ended. */
function fail({ step, reason, beforeFlip }: Command<"FailDeployment">, state: Deployment): Outcome {
  if (hasEnded(state) || (state.flipping && (beforeFlip === true || step !== "flip"))) return [];
  return [{ type: "DeploymentFailed", v: 1, body: { step, reason } }];
}

function supersede({ by, onlyQueued }: Command<"SupersedeDeployment">, state: Deployment): Outcome {
  if (hasEnded(state) || state.status === "cancelling" || (onlyQueued && state.status !== "queued")) return [];
  return [{ type: "DeploymentSuperseded", v: 1, body: { by } }];
}

/** Cancel tells the truth: while a build may run, it is `cancelling` until the build was seen stopped. */
function cancel({ reason }: Command<"RequestCancel">, state: Deployment): Outcome {
  const requested: DeploymentEvent = { type: "CancelRequested", v: 1, body: reason === undefined ? {} : { reason } };
  if (hasEnded(state)) return ended(state);
  if (state.status === "cancelling")
    return refuse("deployment.cancelling", "it is already being cancelled; it ends when its build is seen stopped");
  if (state.flipping) return refuse("deployment.flipping", "it is going live at this moment; roll back instead");
  return state.status === "queued" || state.status === "building"
    ? [requested]
    : [requested, cancelled(reason ?? "cancelled before it went live")];
}
