import * as z from "zod";
import { ACCOUNT, AwsError, REGION } from "../http.ts";

const Variable = z.object({
  name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable"),
  value: z.string(),
  type: z.enum(["PLAINTEXT", "SECRETS_MANAGER"], "must be PLAINTEXT or SECRETS_MANAGER here").default("PLAINTEXT"),
});

const SourceType = z.enum(["S3", "NO_SOURCE"], "must be S3 or NO_SOURCE here");
const Source = z.looseObject({ type: SourceType, location: z.string().optional(), buildspec: z.string().optional() });

const Artifacts = z.looseObject({
  type: z.enum(["S3", "NO_ARTIFACTS"], "must be S3 or NO_ARTIFACTS here"),
  location: z.string().optional(),
  path: z.string().optional(),
  name: z.string().optional(),
  namespaceType: z.enum(["NONE", "BUILD_ID"]).optional(),
  packaging: z.literal("ZIP", "must be ZIP here").optional(),
});
export type Artifacts = z.output<typeof Artifacts>;

const Cache = z.looseObject({
  type: z.enum(["S3", "NO_CACHE"], "must be S3 or NO_CACHE here"),
  location: z
    .string()
    .regex(/^[a-z0-9.-]{3,63}(\/.+)?$/, "must be a bucket, or a bucket and a prefix")
    .optional(),
});

const Environment = z.looseObject({
  type: z.string(),
  image: z.string(),
  computeType: z.string(),
  environmentVariables: z.array(Variable).default([]),
});

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9\-_]{1,149}$/, "must be 2 to 150 letters, digits, '-' or '_'");

export const Project = z.looseObject({
  name: Name,
  source: Source,
  artifacts: Artifacts,
  environment: Environment,
  serviceRole: z.string().optional(),
  timeoutInMinutes: z.number().min(5).max(2160).default(60),
  queuedTimeoutInMinutes: z.number().min(5).max(480).default(480),
  concurrentBuildLimit: z.number().int().min(1).optional(),
  cache: Cache.default({ type: "NO_CACHE" }),
});
/** A project as BatchGetProjects answers it; `created` and `lastModified` are epoch seconds. */
export type Project = z.output<typeof Project> & { readonly arn: string; readonly created: number; readonly lastModified: number };

export const projectArn = (name: string) => `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/${name}`;

export const ProjectChange = z.looseObject({
  ...Project.partial().shape,
  name: Name,
  cache: Cache.optional(),
  timeoutInMinutes: z.number().min(5).max(2160).optional(),
  queuedTimeoutInMinutes: z.number().min(5).max(480).optional(),
});

export const StartBuild = z.looseObject({
  projectName: z.string(),
  idempotencyToken: z.string().optional(),
  sourceTypeOverride: SourceType.optional(),
  sourceLocationOverride: z.string().optional(),
  sourceVersion: z.string().optional(),
  environmentVariablesOverride: z.array(Variable).default([]),
  buildspecOverride: z.string().optional(),
  artifactsOverride: Artifacts.optional(),
  cacheOverride: Cache.optional(),
  timeoutInMinutesOverride: z.number().min(5).max(2160).optional(),
  queuedTimeoutInMinutesOverride: z.number().min(5).max(480).optional(),
});
export type StartBuild = z.output<typeof StartBuild>;

export const Names = z.looseObject({ names: z.array(z.string()).min(1).max(100) });
export const Ids = z.looseObject({ ids: z.array(z.string()).min(1).max(100) });
export const OneId = z.looseObject({ id: z.string() });
export const Page = z.looseObject({
  projectName: z.string(),
  sortOrder: z.enum(["ASCENDING", "DESCENDING"]).default("DESCENDING"),
  nextToken: z.string().optional(),
});

export const invalid = (message: string) => new AwsError("InvalidInputException", 400, message);

/** One operation: its input's shape and what it answers. */
export type Operation = (input: unknown) => Promise<unknown>;
export const operation =
  <S extends z.ZodType>(shape: S, answer: (input: z.output<S>) => unknown): Operation =>
  async (input) => {
    const result = shape.safeParse(input);
    if (result.success) return answer(result.data);
    throw invalid(result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  };
