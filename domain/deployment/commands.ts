import type { DeploymentEvent } from "./events.ts";
import type { Fingerprints, Request, Step } from "./shapes.ts";

type Body<T extends DeploymentEvent["type"]> = Extract<DeploymentEvent, { type: T }>["body"];

/** What may be asked of a deployment. Only Shiplog's own code makes these: input from outside is checked at its door. */
export type DeploymentCommand =
  | { type: "QueueDeployment"; sequence: number; request: Request }
  /** nobody heard of the request for so long that it must not begin any more */
  | { type: "DropRequest"; sequence: number; request: Request; reason: string }
  | { type: "RecordBuildDeferred"; reason: string }
  | { type: "RecordBuildStarted"; buildId: string; logs?: string; variables?: Fingerprints }
  | { type: "RecordBuildSucceeded"; buildId: string; artifact: Body<"BuildSucceeded">["artifact"]; exported?: Record<string, string> }
  | { type: "RecordBuildFailed"; buildId: string | null; status: string; phase?: string; reason: string }
  /** the build was seen stopped or is gone, or (`null`) it was looked for and none was ever started */
  | { type: "RecordBuildStopped"; buildId: string | null; reason: string }
  | ({ type: "StartRelease" } & Body<"ReleaseStarted">)
  | ({ type: "RecordAssets" } & Body<"AssetsPublished">)
  | ({ type: "RecordVersions" } & Body<"VersionsPublished">)
  | ({ type: "RecordChecksPassed" } & Body<"ChecksPassed">)
  | ({ type: "RecordChecksFailed" } & Body<"ChecksFailed">)
  | ({ type: "HoldDeployment" } & Body<"DeploymentHeld">)
  | { type: "StartFlip"; sequence: number }
  | { type: "SucceedDeployment"; sequence: number }
  /** `beforeFlip`: for a reason that a flip which has begun meanwhile makes untrue */
  | { type: "FailDeployment"; step: Step; reason: string; beforeFlip?: true }
  /** `onlyQueued`: a newer request replaces it while it waits; a running build goes on */
  | { type: "SupersedeDeployment"; by: Body<"DeploymentSuperseded">["by"]; onlyQueued: boolean }
  | { type: "RequestCancel"; reason?: string }
  /** its environment has claimed its release */
  | ({ type: "SweepRelease" } & Body<"ReleaseSwept">);
