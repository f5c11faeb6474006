import type { Release, Request } from "../deployment/shapes.ts";
import type { EnvironmentEvent } from "./events.ts";
import type { Keep } from "./keep.ts";
import type { PastRelease } from "./state.ts";
import type { Claims } from "./sweep.ts";

type Body<T extends EnvironmentEvent["type"]> = Extract<EnvironmentEvent, { type: T }>["body"];
/** Who asks, and when (ISO 8601): a lock has a holder and an end. */
type Asked = { actor: string; at: string };
/** Of one function's alias, from one version to another. */
export type Move = Pick<Body<"AliasFlipped">, "function" | "from" | "to" | "revisionId">;
type Switched = Pick<Body<"EdgeSwitched">, "distribution" | "route" | "ended">;

/** What may be asked of an environment. Only Shiplog's own code makes these: input from outside is checked at its door. */
export type EnvironmentCommand =
  | ({ type: "AdmitDeployment"; request: Request } & Asked)
  /** a deployment is ready to go live */
  | ({ type: "RequestFlip"; deploymentId: string; sequence: number; release: Release } & Asked)
  /**
   * Without `to` it goes where `rollbackPlan` says. `from`: what the asker saw live, or going live; refused where that
   * has changed. `force`: whatever the release answers when it is tried. `past`: what the log says of `to`, where it was live
   * so long ago that the state does not remember it.
   */
  | ({ type: "RequestRollback"; to?: string; from?: string; why?: string; force?: boolean; past?: PastRelease } & Asked)
  | ({ type: "RecordAliasFlipped" } & Body<"AliasFlipped">)
  /**
   * `unproven`: what was wrong with a forced release when it was tried, or why it was not seen to work. `edge`: the rows that
   * were written for it; absent where the environment's edge looks up no table. `moves`: of its aliases, all that were not
   * written down before. `cleared`: functions on whose alias weights were found that are gone now.
   */
  | {
      type: "RecordWentLive";
      sequence: number;
      unproven?: string;
      edge?: Switched;
      moves?: readonly Move[];
      cleared?: readonly string[];
    }
  | { type: "RecordFlipSuperseded"; sequence: number; by: number }
  /**
   * `moved`: some alias already points to the release, so that what was live must be put back. `unfit`: the release itself
   * is why, so that it is no target of a rollback until it went live again.
   */
  | { type: "RecordFlipFailed"; sequence: number; reason: string; moved: boolean; unfit?: boolean }
  /** a flip that ended without going live was seen to have moved an alias, with this sequence: what is live is put back */
  | { type: "RestoreLive"; sequence: number }
  /**
   * The edge's table has no row of what went live with this sequence, or an address that it names is gone: while that is live, it is
   * brought live once more, which makes both.
   */
  | { type: "RestoreEdge"; sequence: number; lost: "row" | "address" }
  /** the reconciler's: a release goes that what names it has reached for as long as it may */
  | { type: "EndRelease"; release: string; reason: "window"; at: string }
  /** a person's: a release goes at once */
  | ({ type: "CutRelease"; deploymentId: string; why?: string } & Asked)
  /** of a release that has ended: from then on its address may be deleted */
  | { type: "RemoveAddress"; release: string; address: number }
  | { type: "KeepRelease"; deploymentId: string; reason: string; claims: Claims }
  | { type: "UnkeepRelease"; deploymentId: string; reason?: string }
  /** what nothing keeps, by its rules at this moment */
  | ({ type: "MarkReleases" } & Readonly<Omit<Body<"ReleasesMarked">, "mark">>)
  /** what of a mark still goes; `claims`: of those that there are, which are in force */
  /** `flipped`: the last flip that was requested when the rules were asked; null: it is claimed, and taken over */
  | ({ type: "BeginSweep"; keep: Keep; at: string; claims: Claims; flipped: number | null } & Body<"SweepBegan">)
  | ({ type: "PutOffSweep" } & Body<"SweepPutOff">)
  | ({ type: "EndSweep" } & Body<"SweepEnded">)
  | ({ type: "DropMark" } & Body<"MarkDropped">)
  | { type: "WithdrawFlip"; deploymentId: string; reason: string }
  | ({ type: "RecordDrift" } & Body<"AliasDriftDetected">)
  | ({ type: "RecordDriftEnded" } & Body<"AliasDriftEnded">)
  | ({ type: "RecordEdgeDrift" } & Body<"EdgeDriftDetected">)
  | ({ type: "RecordEdgeDriftEnded" } & Body<"EdgeDriftEnded">)
  | { type: "PinEnvironment"; reason: string }
  | ({ type: "UnpinEnvironment"; reason?: string } & Asked)
  | ({ type: "LockEnvironment"; reason: string; until: string | null } & Asked)
  | ({ type: "UnlockEnvironment"; reason?: string; force: boolean } & Asked)
  /** the reconciler's: a lock whose time is over goes */
  | { type: "ExpireLock"; at: string }
  /** what the secret holds by now; `revision`: of the secret in which each was last set */
  | { type: "SetVariables"; variables: readonly { name: string; fingerprint: string; revision: number }[] }
  | { type: "RemoveVariable"; name: string; revision: number }
  | { type: "RecordVariablesRead"; names: readonly string[] };
