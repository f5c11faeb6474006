import type { Release, Request } from "../deployment/shapes.ts";
import type { EnvironmentEvent } from "./events.ts";

type Body<T extends EnvironmentEvent["type"]> = Extract<EnvironmentEvent, { type: T }>["body"];
/** Who asks, and when (ISO 8601): a lock has a holder and an end. */
type Asked = { actor: string; at: string };

/** What may be asked of an environment. Only Shiplog's own code makes these: input from outside is checked at its door. */
export type EnvironmentCommand =
  | ({ type: "AdmitDeployment"; request: Request } & Asked)
  /** a deployment is ready to go live */
  | ({ type: "RequestFlip"; deploymentId: string; sequence: number; release: Release } & Asked)
  | ({ type: "RequestRollback"; to?: string; why?: string } & Asked)
  | ({ type: "RecordAliasFlipped" } & Body<"AliasFlipped">)
  | { type: "RecordWentLive"; sequence: number }
  | { type: "RecordFlipSuperseded"; sequence: number; by: number }
  /** `moved`: some alias already points to the release, so that what was live must be put back */
  | { type: "RecordFlipFailed"; sequence: number; reason: string; moved: boolean }
  /** a flip that ended without going live was seen to have moved an alias, with this sequence: what is live is put back */
  | { type: "RestoreLive"; sequence: number }
  | { type: "WithdrawFlip"; deploymentId: string; reason: string }
  | ({ type: "RecordDrift" } & Body<"AliasDriftDetected">)
  | ({ type: "RecordDriftEnded" } & Body<"AliasDriftEnded">)
  | { type: "PinEnvironment"; reason: string }
  | ({ type: "UnpinEnvironment"; reason?: string } & Asked)
  | ({ type: "LockEnvironment"; reason: string; until: string | null } & Asked)
  | ({ type: "UnlockEnvironment"; reason?: string; force: boolean } & Asked)
  /** the reconciler's: a lock whose time is over goes */
  | { type: "ExpireLock"; at: string }
  | ({ type: "RecordEdgeInvalidated" } & Body<"EdgeInvalidated">)
  | ({ type: "RecordEdgeInvalidationFailed" } & Body<"EdgeInvalidationFailed">);
