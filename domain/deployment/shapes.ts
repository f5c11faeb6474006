import * as z from "zod";
import { PublicSet } from "../environment/route.ts";
import { DeploymentId, Name } from "../kernel/identity.ts";

/** Shapes shared by the events of deployments and environments. Stored for ever. */

/** The app's source as it was uploaded: content-addressed, so the same source is the same object. */
export const Source = z.object({
  key: z.string().min(1).max(512),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().nonnegative(),
  /** the app's folder in it, where the source is a whole workspace: `apps/web` */
  app: z
    .string()
    .max(512)
    .regex(/^(?!.*(^|\/)\.{0,2}(\/|$))[^\\\p{Cc}]+$/u, "must be a folder inside of the source, like apps/web")
    .optional(),
});

/**
 * The commit of the app's own repository that was deployed, where there is one. `committedAt`: its committer's time, in ISO 8601
 * UTC, as the client told it, also where it lies in the future; absent in older events and of older clients.
 */
export const GitCommit = z.object({
  sha: z.string().regex(/^[0-9a-f]{7,64}$/),
  message: z.string().max(500).optional(),
  author: z.string().max(200).optional(),
  branch: z.string().max(250).optional(),
  committedAt: z.iso.datetime().optional(),
  dirty: z.boolean().optional(),
});

/** What a build left behind. `sha256` is that of the zip, where the builder gives one. */
export const Artifact = z.object({ bucket: z.string().min(1), key: z.string().min(1), sha256: z.string().optional() });

/** Names a value without giving it away: a keyed digest, whose key is in no event. Equal where the value of a name is. */
export const Fingerprint = z.string().regex(/^[0-9a-f]{16}$/);

/** So many variables are named by an event at most: it must stay small. */
export const MAX_FINGERPRINTS = 200;

/** Variables by their names, each with the fingerprint of its value. */
export const Fingerprints = z.record(z.string().min(1).max(128), Fingerprint);

/** A finished build that another deployment takes over: nothing is built again. `variables`: what it was made with, where that is known. */
export const ReusedBuild = z.object({
  from: DeploymentId,
  buildId: z.string(),
  releaseId: DeploymentId,
  artifact: Artifact,
  variables: Fingerprints.optional(),
});

/** What was asked for: who, what, why. */
export const Request = z.object({
  deploymentId: DeploymentId,
  site: Name,
  environment: Name,
  source: Source.nullable(),
  reuse: ReusedBuild.optional(),
  retryOf: DeploymentId.optional(),
  trigger: z.enum(["cli", "api", "retry"]),
  commit: GitCommit.optional(),
  reason: z.string().max(500).optional(),
  requestedBy: z.string().max(200),
});

/** The name that a split function has in `functions` of the app's open-next.config.ts. */
export const FunctionName = z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,30}$/);

/** What a function is in its release. `server-<name>` is a split function: a server for some of the app's paths. */
export const FunctionRole = z.union([z.enum(["server", "image", "revalidation"]), z.templateLiteral(["server-", FunctionName])]);

/** Of one release: each is one more alias that a flip moves. */
export const MAX_SPLIT_FUNCTIONS = 10;

/** A split function is a server like the other: of the same size, with the same settings and rights. */
export const kindOf = (role: FunctionRole): FunctionKind => (role === "image" || role === "revalidation" ? role : "server");

/** Those that visitors reach by an address of their own. */
export const isReached = ({ role }: Pick<PublishedFunction, "role">): boolean => kindOf(role) !== "revalidation";

/**
 * One immutable function version. `codeSha256` is base64, as Lambda gives it; `settings` names the settings that it was
 * published with; `streaming` says that it answers as a stream, and is absent where it answers whole; `patterns` are the
 * paths that go to a split function, below the app's basePath, as a CDN's behaviours write them (`api/*`).
 */
export const PublishedFunction = z.object({
  role: FunctionRole,
  name: z.string(),
  version: z.string().regex(/^[0-9]+$/),
  codeSha256: z.string(),
  settings: z.string(),
  streaming: z.literal(true).optional(),
  patterns: z.array(z.string().min(1)).min(1).optional(),
});

export const PublishedFunctions = z
  .array(PublishedFunction)
  .min(1)
  .max(3 + MAX_SPLIT_FUNCTIONS);

/** The set of immutable versions and files that goes live together. */
export const Release = z.object({
  /** the id that the build was made with: BUILD_ID and deploymentId of the app */
  id: DeploymentId,
  functions: PublishedFunctions,
  /** key of the release's manifest: behaviours and public files */
  manifest: z.string(),
  /** the app's basePath, without slashes at its ends; absent where it has none, and in what was published before it was kept */
  basePath: z.string().optional(),
  /**
   * the number of its alias, `r-<address>`, by which visitors reach it; absent in what was published before releases had addresses
   */
  address: z.number().int().positive().optional(),
  /** its public files; absent in what was published when a flip still put them */
  files: PublicSet.optional(),
});

export const Step = z.enum(["queue", "build", "publish", "check", "flip", "cancel"]);

export type Source = z.infer<typeof Source>;
export type GitCommit = z.infer<typeof GitCommit>;
export type Artifact = z.infer<typeof Artifact>;
export type Fingerprints = z.infer<typeof Fingerprints>;
export type ReusedBuild = z.infer<typeof ReusedBuild>;
export type Request = z.infer<typeof Request>;
export type FunctionRole = z.infer<typeof FunctionRole>;
export type FunctionKind = "server" | "image" | "revalidation";
export type PublishedFunction = z.infer<typeof PublishedFunction>;
export type Release = z.infer<typeof Release>;
export type Step = z.infer<typeof Step>;
