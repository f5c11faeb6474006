import * as z from "zod";
import { GithubTokens, GrantedRule } from "./github.ts";
import { usualKeep } from "./keep.ts";

const Size = z.object({ memoryMb: z.number().optional(), timeoutSeconds: z.number().optional() }).optional();
const SiteSizes = z.object({ server: Size, image: Size, revalidation: Size });

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/**
 * One token of the API: the sha256 (hex) of its text, of which everything is allowed; or with a scope, `read`: it may look,
 * and change nothing.
 */
export const ApiToken = z.union([Sha256, z.strictObject({ sha256: Sha256, scope: z.enum(["all", "read"]) })]);
export type ApiToken = z.infer<typeof ApiToken>;

/** What the engine must know of one environment of a site; made by the infrastructure, never by hand. */
export const SiteConfig = z.object({
  site: z.string(),
  environment: z.string(),
  /** host that visitors use; releases are checked with it */
  host: z.string(),
  url: z.string(),
  checkPath: z.string(),
  /** the basePath that the edge's paths of split functions were made for; absent where they follow each release */
  basePath: z.string().optional(),
  variables: z.array(z.string()),
  /** names of the tokens that may read values; absent in what an older infrastructure wrote: none */
  valuesReadableBy: z.array(z.string()).default([]),
  architecture: z.enum(["x86_64", "arm64"]),
  distribution: z.string().nullable(),
  /** ARN of the table that its edge looks up; absent in what an older infrastructure wrote: none */
  edgeTable: z.string().nullable().default(null),
  /** for how long what names a release still reaches it after another went live */
  skewHours: z.number().default(24),
  /** how long it keeps releases; absent in what an older infrastructure wrote: as is usual */
  keep: z.object({ releases: z.number(), days: z.number(), window: z.number(), wait: z.number() }).default(usualKeep),
  revalidationQueueUrl: z.string(),
  buildTimeoutMinutes: z.number(),
  /** what its edge sends with each request, and its functions ask for; absent in what an older infrastructure wrote: nothing */
  originKeys: z.array(z.string()).default([]),
  /** its address streams; absent in what an older infrastructure wrote: it answers whole */
  streaming: z.boolean().default(false),
  /** memory and time limit of its functions by kind, where they are not the usual ones */
  sizes: SiteSizes.default({}),
  /** the paths of each split function, as they were declared; absent in what an older infrastructure wrote: it has none */
  functions: z.record(z.string(), z.array(z.string())).default({}),
  /** runs of GitHub Actions that may deploy to it; absent in what an older infrastructure wrote: none */
  github: z.array(GrantedRule).default([]),
});

/** Everything that the engine's functions are told by their environment. */
export const EngineConfig = z.object({
  region: z.string(),
  eventsTable: z.string(),
  viewsTable: z.string(),
  snapshotsTable: z.string(),
  peopleTable: z.string(),
  bus: z.string(),
  buckets: z.object({ sources: z.string(), artifacts: z.string(), static: z.string(), archive: z.string() }),
  /** id, ARN or alias of the KMS key that seals are signed with */
  sealKey: z.string(),
  sites: z.array(SiteConfig),
  /** each API token by its name */
  tokens: z.record(z.string(), ApiToken),
  /** whose tokens are taken of runs of GitHub Actions; absent where no environment has a rule for them */
  github: GithubTokens.optional(),
  /** for development alone: webhooks may go to this machine's own addresses, also by http */
  loopbackWebhooks: z.boolean().optional(),
});

export type SiteConfig = z.infer<typeof SiteConfig>;
export type EngineConfig = z.infer<typeof EngineConfig>;

/** The configuration of one environment; `undefined` where it was never declared. */
export const siteConfig = (config: EngineConfig, site: string, environment: string): SiteConfig | undefined =>
  config.sites.find((entry) => entry.site === site && entry.environment === environment);
