import * as z from "zod";
import { GoRule, Keep } from "../environment/keep.ts";
import { event } from "../kernel/event.ts";
import { DeploymentId } from "../kernel/identity.ts";
import { reader, type Upcasters } from "../kernel/upcast.ts";
import { Artifact, Fingerprints, FunctionRole, PublishedFunctions, Release, Request, Step } from "./shapes.ts";

/**
 * What can have happened to a deployment.
 * These names and shapes are stored for ever: add a version beside the old one with its upcaster, never edit one.
 */
const sequence = z.number().int().positive();
const reason = z.string().min(1).max(2_000);

export const DeploymentQueued = event("DeploymentQueued", 1, { sequence, request: Request });
/** The builder has no room for it now: what it waits for, with the builder's own words. It is asked again. */
export const BuildDeferred = event("BuildDeferred", 1, { reason });
/** `variables`: what it is given; absent in older events, and where CodeBuild's word of it came before ours. */
export const BuildStarted = event("BuildStarted", 1, {
  buildId: z.string(),
  logs: z.string().optional(),
  variables: Fingerprints.optional(),
});
export const BuildSucceeded = event("BuildSucceeded", 1, {
  buildId: z.string(),
  releaseId: DeploymentId,
  artifact: Artifact,
  exported: z.record(z.string(), z.string()).optional(),
  reusedFrom: DeploymentId.optional(),
});
export const BuildFailed = event("BuildFailed", 1, {
  buildId: z.string().nullable(),
  status: z.string(),
  phase: z.string().optional(),
  reason,
});
export const ReleaseStarted = event("ReleaseStarted", 1, { releaseId: DeploymentId, warnings: z.array(z.string()).optional() });
export const AssetsPublished = event("AssetsPublished", 1, {
  uploaded: z.number().int(),
  unchanged: z.number().int(),
  bytes: z.number().int(),
  cacheEntries: z.number().int(),
  tags: z.number().int(),
  manifest: z.string(),
});
/** `variables`: what the servers are given; absent in older events. */
export const VersionsPublished = event("VersionsPublished", 1, { functions: PublishedFunctions, variables: Fingerprints.optional() });
export const Check = z.object({
  role: FunctionRole,
  function: z.string(),
  version: z.string(),
  path: z.string().optional(),
  status: z.number().int().optional(),
  ms: z.number(),
});
export const ChecksPassed = event("ChecksPassed", 1, { release: Release, checks: z.array(Check) });
export const ChecksFailed = event("ChecksFailed", 1, { checks: z.array(Check), reason });
export const DeploymentHeld = event("DeploymentHeld", 1, { by: z.enum(["pin", "lock"]), reason: z.string().optional() });
export const FlipStarted = event("FlipStarted", 1, { sequence });
export const DeploymentSucceeded = event("DeploymentSucceeded", 1, { sequence });
export const DeploymentFailed = event("DeploymentFailed", 1, { step: Step, reason });
export const CancelRequested = event("CancelRequested", 1, { reason: z.string().optional() });
export const DeploymentCancelled = event("DeploymentCancelled", 1, { reason: z.string() });
export const DeploymentSuperseded = event("DeploymentSuperseded", 1, { by: z.object({ sequence, deploymentId: DeploymentId.optional() }) });
/**
 * Nothing of its release is kept any more: what there is of it goes, and it cannot go live again. `mark`: of its environment, by
 * which it was named before; `keep`: what its site declared.
 */
export const ReleaseSwept = event("ReleaseSwept", 1, { mark: z.number().int().positive(), rule: GoRule, keep: Keep });

const kinds = [
  DeploymentQueued,
  BuildDeferred,
  BuildStarted,
  BuildSucceeded,
  BuildFailed,
  ReleaseStarted,
  AssetsPublished,
  VersionsPublished,
  ChecksPassed,
  ChecksFailed,
  DeploymentHeld,
  FlipStarted,
  DeploymentSucceeded,
  DeploymentFailed,
  CancelRequested,
  DeploymentCancelled,
  DeploymentSuperseded,
  ReleaseSwept,
] as const;

export const DeploymentEvent = z.discriminatedUnion("type", kinds);
export type DeploymentEvent = z.infer<typeof DeploymentEvent>;
export type Check = z.infer<typeof Check>;

/** Old versions of these events and how they read today. None yet. */
export const deploymentUpcasters: Upcasters = {};

/** Reads one stored event of a deployment; throws `UnknownEvent`. */
export const readDeploymentEvent = reader<DeploymentEvent>(kinds as unknown as z.ZodType<DeploymentEvent>[], deploymentUpcasters);
export const deploymentEventTypes: readonly DeploymentEvent["type"][] = kinds.map((kind) => kind.shape.type.value);
/** As they are stored today, each with its type and version. */
export const deploymentEventSchemas: readonly z.ZodObject[] = kinds;
