import * as z from "zod";
import { Fingerprint, Release, Request } from "../deployment/shapes.ts";
import { event } from "../kernel/event.ts";
import { DeploymentId } from "../kernel/identity.ts";
import { reader, type Upcasters } from "../kernel/upcast.ts";
import { GoRule, Keep } from "./keep.ts";
import { Route } from "./route.ts";

/**
 * What can have happened to an environment: it owns the sequence, the alias, the pin and the lock.
 * These names and shapes are stored for ever: add a version beside the old one with its upcaster, never edit one.
 */
const sequence = z.number().int().positive();
const reason = z.string().min(1).max(2_000);
const LiveRelease = z.object({ sequence, deploymentId: DeploymentId });
export const FlipReason = z.enum(["deploy", "rollback", "promote", "restore"]);

/** A deployment got its place in the order. Carries the whole request, so that the deployment can be made from it. */
export const DeploymentAdmitted = event("DeploymentAdmitted", 1, {
  deploymentId: DeploymentId,
  sequence,
  request: Request,
  previous: DeploymentId.nullable(),
});
export const FlipRequested = event("FlipRequested", 1, {
  sequence,
  deploymentId: DeploymentId,
  release: Release,
  reason: FlipReason,
  /** who asked for it: of a deployment the one who requested it, never a consumer */
  actor: z.string(),
  why: z.string().max(500).optional(),
  /** a person wants it whatever the release answers when it is tried */
  forced: z.literal(true).optional(),
  previous: LiveRelease.nullable(),
});
/** The flip waits until the environment is unpinned or unlocked. `replaces` waited before and never goes live. */
export const FlipHeld = event("FlipHeld", 1, {
  sequence,
  deploymentId: DeploymentId,
  release: Release,
  actor: z.string(),
  by: z.enum(["pin", "lock"]),
  because: z.string().optional(),
  replaces: LiveRelease.nullable(),
});
/** One function's alias was moved and read back. `from` is the version before. */
export const AliasFlipped = event("AliasFlipped", 1, {
  sequence,
  deploymentId: DeploymentId,
  function: z.string(),
  from: z.string(),
  to: z.string(),
  revisionId: z.string(),
});
/** Every alias of the release was read back through the alias. */
export const ReleaseWentLive = event("ReleaseWentLive", 1, {
  sequence,
  deploymentId: DeploymentId,
  release: Release,
  reason: FlipReason,
  actor: z.string(),
  /** what was wrong with it when it was tried, and it was forced; or why it was not seen to work */
  unproven: reason.optional(),
  previous: LiveRelease.nullable(),
});
export const FlipSuperseded = event("FlipSuperseded", 1, {
  sequence,
  deploymentId: DeploymentId,
  reason: FlipReason,
  by: z.number().int().positive(),
});
export const FlipFailed = event("FlipFailed", 1, {
  sequence,
  deploymentId: DeploymentId,
  flip: FlipReason,
  reason,
  /** the release itself is why: a part of it is gone, or it fails its probe while what is live passes */
  unfit: z.literal(true).optional(),
});
/** A held flip that will not happen: its deployment was cancelled or failed. */
export const FlipWithdrawn = event("FlipWithdrawn", 1, { sequence, deploymentId: DeploymentId, reason });
export const AliasDriftDetected = event("AliasDriftDetected", 1, {
  function: z.string(),
  expected: z.object({ version: z.string(), sequence: z.number().int(), deploymentId: z.string().optional() }).nullable(),
  /** `weights`: the part (0–1) of the requests that goes to another version; older events do not have it */
  found: z.object({ version: z.string(), description: z.string(), weights: z.record(z.string(), z.number()).optional() }).nullable(),
});
/** An alias is back where it was put, without a flip: somebody set it right. */
export const AliasDriftEnded = event("AliasDriftEnded", 1, { function: z.string(), version: z.string(), sequence });
export const EnvironmentPinned = event("EnvironmentPinned", 1, {
  reason,
  deploymentId: DeploymentId.nullable(),
  /** sequence of the rollback that set it, and takes it back where it fails; none where a person pinned */
  rollback: sequence.optional(),
});
export const EnvironmentUnpinned = event("EnvironmentUnpinned", 1, {
  reason: z.string().optional(),
  /** sequence of the rollback that set the pin and did not come about */
  rollback: sequence.optional(),
});
export const EnvironmentLocked = event("EnvironmentLocked", 1, { holder: z.string(), reason, until: z.iso.datetime().nullable() });
export const EnvironmentUnlocked = event("EnvironmentUnlocked", 1, { holder: z.string(), reason: z.string().optional() });
/** Of engines that had the edge forget everything after each flip. */
export const EdgeInvalidated = event("EdgeInvalidated", 1, {
  sequence,
  deploymentId: DeploymentId,
  distribution: z.string(),
  invalidationId: z.string(),
});
/** A warning: visitors may see older pages until their cache entry ends. */
export const EdgeInvalidationFailed = event("EdgeInvalidationFailed", 1, {
  sequence,
  deploymentId: DeploymentId,
  distribution: z.string(),
  reason,
});

/**
 * What visitors are sent to was changed: rows of the edge's table were written and read back. `ended`: releases that what names
 * them reaches until then, and from then on what is live.
 */
export const EdgeSwitched = event("EdgeSwitched", 1, {
  sequence,
  deploymentId: DeploymentId,
  distribution: z.string(),
  route: Route,
  ended: z.array(z.object({ release: DeploymentId, until: z.iso.datetime() })),
});
/** Nobody is sent to a release any more: for as long as what names it may reach it (`window`), or because somebody cut it off. */
export const ReleaseEnded = event("ReleaseEnded", 1, {
  release: DeploymentId,
  deploymentId: DeploymentId,
  address: z.number().int().positive(),
  reason: z.enum(["window", "cut"]),
  why: z.string().max(500).optional(),
});
/** What a release was reached at is taken away from these functions: alias and URL. No release ever has this number again. */
export const AddressRemoved = event("AddressRemoved", 1, {
  release: DeploymentId,
  deploymentId: DeploymentId,
  address: z.number().int().positive(),
  functions: z.array(z.string()),
});
/** The row of what is live says what no flip wrote there; `found`: its text, cut, or null where there is none. */
export const EdgeDriftDetected = event("EdgeDriftDetected", 1, {
  distribution: z.string(),
  /** the sequence that it should say */
  sequence,
  found: z.string().max(1_100).nullable(),
});
/** The row says again what was written last, without a flip. */
export const EdgeDriftEnded = event("EdgeDriftEnded", 1, { distribution: z.string(), sequence });

/** A person wants a release kept, however old it is. */
export const ReleaseKept = event("ReleaseKept", 1, { deploymentId: DeploymentId, reason });
/** It goes by its age again. */
export const ReleaseUnkept = event("ReleaseUnkept", 1, { deploymentId: DeploymentId, reason: reason.optional() });
const mark = z.number().int().positive();
const Going = z.object({ deploymentId: DeploymentId, release: DeploymentId, rule: GoRule });
/**
 * What nothing keeps any more, to be swept from `sweepAfter` on where that is still so. `others`: what no release in the log
 * has, by kind and name, and how many files.
 * `list`: key of the list of all things of theirs in the artifacts bucket, for as long as that keeps it; `digest`: its SHA-256.
 */
export const ReleasesMarked = event("ReleasesMarked", 1, {
  mark,
  keep: Keep,
  releases: z.array(Going).max(1_000),
  others: z.object({ named: z.array(z.string().max(300)).max(1_000), files: z.number().int().nonnegative() }),
  list: z.string(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  sweepAfter: z.iso.datetime(),
});
/** These go: from now on nobody can go back to them, and until then whoever sweeps may take them away. Again where another died. */
export const SweepBegan = event("SweepBegan", 1, { mark, keep: Keep, releases: z.array(Going).max(1_000), until: z.iso.datetime() });
/** Whoever claimed it lets it go: something was being published. It comes later. */
export const SweepPutOff = event("SweepPutOff", 1, { mark, reason });
const count = z.number().int().nonnegative();
export const Left = z.object({
  count: z.number().int().positive(),
  named: z.array(z.object({ thing: z.string().max(300), because: z.string().max(500) })).max(20),
});
/** What was taken away, and how much that was. `left`: what could not be, and why; the next mark has it. */
export const SweepEnded = event("SweepEnded", 1, {
  mark,
  releases: count,
  taken: z.object({ rows: count, addresses: count, versions: count, pages: count, tags: count, files: count, artifacts: count }),
  bytes: count,
  left: Left.optional(),
});
export const MarkDropped = event("MarkDropped", 1, { mark, reason });

const variable = z.string().min(1).max(128);
/** number of the secret's content, raised with every change: of two events about a variable the higher one is the newer */
const revision = z.number().int().positive();
/** A variable has another value: it takes effect with the next deployment. */
export const VariableSet = event("VariableSet", 1, { name: variable, fingerprint: Fingerprint, revision });
export const VariableRemoved = event("VariableRemoved", 1, { name: variable, revision });
/** Somebody was given the values of these. */
export const VariablesRead = event("VariablesRead", 1, { names: z.array(variable) });

const kinds = [
  DeploymentAdmitted,
  FlipRequested,
  FlipHeld,
  AliasFlipped,
  ReleaseWentLive,
  FlipSuperseded,
  FlipFailed,
  FlipWithdrawn,
  AliasDriftDetected,
  AliasDriftEnded,
  EnvironmentPinned,
  EnvironmentUnpinned,
  EnvironmentLocked,
  EnvironmentUnlocked,
  VariableSet,
  VariableRemoved,
  VariablesRead,
  EdgeInvalidated,
  EdgeInvalidationFailed,
  EdgeSwitched,
  EdgeDriftDetected,
  EdgeDriftEnded,
  ReleaseEnded,
  AddressRemoved,
  ReleaseKept,
  ReleaseUnkept,
  ReleasesMarked,
  SweepBegan,
  SweepPutOff,
  SweepEnded,
  MarkDropped,
] as const;

export const EnvironmentEvent = z.discriminatedUnion("type", kinds);
export type EnvironmentEvent = z.infer<typeof EnvironmentEvent>;
export type FlipReason = z.infer<typeof FlipReason>;
export type LiveRelease = z.infer<typeof LiveRelease>;

/** Old versions of these events and how they read today. None yet. */
export const environmentUpcasters: Upcasters = {};

/** Reads one stored event of an environment; throws `UnknownEvent`. */
export const readEnvironmentEvent = reader<EnvironmentEvent>(kinds as unknown as z.ZodType<EnvironmentEvent>[], environmentUpcasters);
export const environmentEventTypes: readonly EnvironmentEvent["type"][] = kinds.map((kind) => kind.shape.type.value);
/** As they are stored today, each with its type and version. */
export const environmentEventSchemas: readonly z.ZodObject[] = kinds;
