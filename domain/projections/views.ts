import * as z from "zod";
import { Artifact, Fingerprints, GitCommit, Release, Step } from "../deployment/shapes.ts";
import { FlipReason } from "../environment/events.ts";
import { GoRule, Keep } from "../environment/keep.ts";

/** What readers see of a deployment and of an environment: rebuilt from the log at any time, so these may change freely. */

export const Status = z.enum([
  "queued",
  "building",
  "built",
  "deploying",
  "held",
  "cancelling",
  "success",
  "failed",
  "cancelled",
  "superseded",
]);

const Actor = z.string();
const at = z.string();

export const DeploymentView = z.object({
  id: z.string(),
  site: z.string(),
  environment: z.string(),
  sequence: z.number(),
  status: Status,
  /** what it is at, or what it ended with */
  step: Step.nullable(),
  /** why it failed, was cancelled, is held or was superseded: one sentence for a person */
  reason: z.string().nullable(),
  actor: Actor,
  trigger: z.string(),
  commit: GitCommit.nullable(),
  why: z.string().nullable(),
  retryOf: z.string().nullable(),
  /** the deployment whose build this one took over */
  reusedFrom: z.string().nullable(),
  buildId: z.string().nullable(),
  logs: z.string().nullable(),
  /** id that the build was made with */
  releaseId: z.string().nullable(),
  artifact: Artifact.nullable(),
  release: Release.nullable(),
  /** what its build and its servers were given; null where it is not known, or not yet */
  variables: z.object({ built: Fingerprints.nullable(), published: Fingerprints.nullable() }).default({ built: null, published: null }),
  warnings: z.array(z.string()),
  /** when its release was taken away, since nothing kept it any more, and by which rule; null while there may be something of it */
  swept: z.object({ at, rule: GoRule, keep: Keep }).nullable().default(null),
  queuedAt: at,
  buildStartedAt: at.nullable(),
  builtAt: at.nullable(),
  endedAt: at.nullable(),
  /** when the present status began: deadlines count from here */
  since: at,
  /** version of the stream that this row has read */
  version: z.number(),
});

const LiveView = z.object({
  deploymentId: z.string(),
  sequence: z.number(),
  at,
  reason: FlipReason,
  actor: Actor,
  /** the reason given when it was asked for: of a rollback or a restore; a deployment's own reason is its own */
  why: z.string().nullable(),
  release: Release,
});

/** Something that was live before: what its functions are is in the row of its deployment, so that an environment's stays small. */
const PastLiveView = LiveView.omit({ release: true });

/** A release that a rollback took down or went past, until somebody chooses it again. */
const TakenDownView = z.object({
  deploymentId: z.string(),
  at,
  by: Actor,
  /** the rollback's sequence, and the deployment that it went to */
  rollback: z.number(),
  to: z.string(),
  why: z.string().nullable(),
  /** it was live when the rollback came */
  wasLive: z.boolean(),
});

/** A variable as it was last set (or removed: null), by `shiplog env`. */
const VariableView = z.object({ fingerprint: z.string().nullable(), revision: z.number(), at, actor: Actor });

/** A release that visitors reach at an address of its own, besides what is live. */
const RoutedView = z.object({
  deploymentId: z.string(),
  /** the id that its pages name */
  release: z.string(),
  /** the number of its alias, `r-<address>`, and the host of its server's own address */
  address: z.number(),
  host: z.string(),
  /** with which it went live last, and when */
  sequence: z.number(),
  since: at,
  /** until when what names it reaches it; null while it is live */
  until: at.nullable(),
  /** why nobody is sent to it any more: its time was over, or somebody cut it off; null where somebody is */
  ended: z.enum(["window", "cut"]).nullable(),
});

export const EnvironmentView = z.object({
  site: z.string(),
  environment: z.string(),
  /** highest sequence given so far */
  sequence: z.number(),
  live: LiveView.nullable(),
  /** what was live before, newest first, at most twenty */
  history: z.array(PastLiveView),
  /** the flip under way */
  flipping: z
    .object({ deploymentId: z.string(), sequence: z.number(), reason: FlipReason, since: at, why: z.string().nullable() })
    .nullable(),
  /** what people chose to have live and no rollback took down since, oldest first, the newest thirty */
  standing: z.array(z.string()),
  /** newest first, at most thirty */
  takenDown: z.array(TakenDownView),
  /** ready, and waiting for the pin or lock to go */
  waiting: z.object({ deploymentId: z.string(), sequence: z.number(), since: at, by: z.enum(["pin", "lock"]) }).nullable(),
  pin: z.object({ reason: z.string(), actor: Actor, at }).nullable(),
  lock: z.object({ holder: z.string(), reason: z.string(), until: z.string().nullable(), at }).nullable(),
  /** what the edge's table has of its releases, newest first, at most fifty; empty where its edge looks up no table */
  routes: z.array(RoutedView),
  /** releases that people keep by name, by deployment */
  kept: z.array(z.object({ deploymentId: z.string(), reason: z.string(), actor: Actor, at })).default([]),
  /** what is to be swept: how many releases, and from when on; `since`: somebody is at it. null where nothing is marked */
  marked: z
    .object({ mark: z.number(), releases: z.number(), others: z.number(), at, after: z.string(), since: at.nullable() })
    .nullable()
    .default(null),
  /** the last sweep that ended; null: none did */
  swept: z.object({ at, mark: z.number(), releases: z.number(), bytes: z.number(), left: z.string().nullable() }).nullable().default(null),
  /** aliases that are where nobody put them, and `edge` where its table says what no flip wrote; the one found last first */
  drifts: z.array(z.object({ function: z.string(), at, /** what is wrong with it, for a person */ says: z.string() })),
  /** by name */
  variables: z.record(z.string(), VariableView).default({}),
  warnings: z.array(z.string()),
  version: z.number(),
});

export type Status = z.infer<typeof Status>;
export type DeploymentView = z.infer<typeof DeploymentView>;
export type EnvironmentView = z.infer<typeof EnvironmentView>;
export type RoutedView = z.infer<typeof RoutedView>;
export type TakenDownView = z.infer<typeof TakenDownView>;

/** A deployment in one of these has ended, for ever. */
export const isEnd = (status: Status): boolean =>
  status === "success" || status === "failed" || status === "cancelled" || status === "superseded";
