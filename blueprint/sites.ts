import * as z from "zod";
import { FunctionName, MAX_SPLIT_FUNCTIONS } from "../domain/deployment/shapes.ts";
import { GithubIssuer, GithubRule } from "./github.ts";
import { KeepDeclared, usualKeep } from "./keep.ts";
import { MAX_WAIT_SECONDS } from "./site-resources.ts";

/** Variables that builds and functions are given anyway: a site's own of that name would be overwritten, or break them. */
const SET_BY_ENGINE: readonly string[] = [
  ...["DEPLOYMENT_ID", "BUILD_ID", "NEXT_DEPLOYMENT_ID"],
  // OpenNext's own for one build; an adapter of Next.js makes it leave every prerendered page out
  ...["NEXT_ADAPTER_PATH", "NEXT_PRIVATE_STANDALONE", "NEXT_PRIVATE_OUTPUT_TRACE_ROOT", "OPEN_NEXT_BUILD_ID"],
  ...["PATH", "HOME", "PWD", "TMPDIR"],
  ...["CACHE_BUCKET_NAME", "CACHE_BUCKET_KEY_PREFIX", "CACHE_BUCKET_REGION", "CACHE_DYNAMO_TABLE"],
  ...["REVALIDATION_QUEUE_URL", "REVALIDATION_QUEUE_REGION", "BUCKET_NAME", "BUCKET_KEY_PREFIX"],
  ...["_HANDLER", "_X_AMZN_TRACE_ID"],
];

/**
 * The sites and their environments: one checked file that the local endpoint and the infrastructure both read.
 * Values of variables are not in it: only their names.
 */
const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,18}[a-z0-9]$|^[a-z]$/,
    "must be 1-20 characters: lower-case letters, digits and dashes, beginning with a letter and not ending with a dash",
  );
const variable = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_]{1,127}$/,
    "must be the name of an environment variable as Lambda takes it: two letters, digits or underscores or more, a letter first",
  )
  .refine(
    (value) => !/^(AWS_|LAMBDA_|CODEBUILD_|SHIPLOG_)/.test(value),
    "must not begin with AWS_, LAMBDA_, CODEBUILD_ or SHIPLOG_: these are reserved",
  )
  .refine((value) => !SET_BY_ENGINE.includes(value), "is a name that builds or functions are given by the engine or by AWS: take another");

/** What goes elsewhere in any case: pictures, data of pages, files. */
const TAKEN_PATTERNS: readonly string[] = ["_next/image*", "*/_next/image*", "_next/data/*", "_next/*", "*/_next/static/*"];
/** CloudFront takes 75 behaviours; ours are those, and what is left for pages. */
const MAX_PATTERNS = 75 - TAKEN_PATTERNS.length - 1;
/** Names of OpenNext's own origins. */
const OPEN_NEXT_ORIGINS: readonly string[] = ["default", "s3", "imageOptimizer"];
const splitName = FunctionName.refine((value) => !OPEN_NEXT_ORIGINS.includes(value), "is a name that OpenNext has for itself");
/** What CloudFront takes for the pattern of a behaviour; `/api/*` and `api/*` are one. */
const pattern = z
  .string()
  .regex(/^[A-Za-z0-9_.*$/~"'@:+&?-]{1,200}$/, "must be a path of letters, digits and _ - . * $ / ~ \" ' @ : + & ? as CloudFront takes it")
  .transform((value) => value.replace(/^\/+/, ""))
  .refine((value) => value !== "" && value !== "*", "must leave the other paths to the server: not / and not *");

const Size = z.strictObject({
  memoryMb: z.number().int().min(128).max(10_240, "must be 10240 at most, and 3008 in some new accounts").optional(),
  timeoutSeconds: z.number().int().min(1).max(900).optional(),
});

/** A right as IAM writes it; ARNs may leave `{partition}`, `{region}` and `{account}` open. */
const Permission = z.strictObject({
  actions: z.array(z.string().regex(/^[a-z0-9-]+:[A-Za-z0-9*]+$/, 'must be an action as IAM names it, like "sqs:SendMessage"')).min(1),
  resources: z
    .array(
      z
        .string()
        .regex(/^(\*|arn:.+)$/, 'must be an ARN, or "*" where AWS knows no narrower resource')
        .refine(
          (arn) => !/[{}]/.test(arn.replace(/\{(partition|region|account)\}/g, "")),
          "may leave {partition}, {region} and {account} open, and nothing else",
        ),
    )
    .min(1),
});

/** Descriptions are those of the sites file's JSON Schema (sites-schema.ts): they stand on the schema that has the rules. */
export const Environment = z.strictObject({
  name: name.describe("Name of the environment, as in web/production"),
  domains: z
    .array(z.string().regex(/^[a-z0-9.-]+$/))
    .refine((domains) => new Set(domains).size === domains.length, "a domain is named twice")
    .describe("Custom domains of the environment; the first is the host that a release is checked with")
    .default([]),
  valuesReadableBy: z
    .array(z.string().min(1))
    .describe("Names of the API's tokens that may read the values of variables (`shiplog env pull`)")
    .default([]),
  originKeys: z
    .array(z.number().int().min(1).max(1_000_000))
    .min(1)
    .max(2, "must be one, or two while one takes the other's place")
    .refine((numbers) => new Set(numbers).size === numbers.length, "a key is named twice")
    .describe("Numbers of the keys that its edge and its functions know each other by; another number is another key")
    .default([1]),
  github: z.array(GithubRule).max(20).describe("Runs of GitHub Actions that may deploy to it").default([]),
});

const Build = z.strictObject({
  install: z.array(z.string()).default(["npm ci --no-audit --no-fund"]),
  commands: z.array(z.string()).min(1),
});
const Sizes = z.strictObject({ server: Size.optional(), image: Size.optional(), revalidation: Size.optional() });
const Functions = z
  .record(splitName, z.array(pattern).min(1).max(20))
  .refine((functions) => Object.keys(functions).length <= MAX_SPLIT_FUNCTIONS, `must be ${MAX_SPLIT_FUNCTIONS} at most`)
  .refine(
    (functions) => new Set(Object.keys(functions).map((one) => one.toLowerCase())).size === Object.keys(functions).length,
    "two names differ in capitals alone: the infrastructure takes them for one",
  )
  .refine(
    (functions) => {
      const all = [...TAKEN_PATTERNS, ...Object.values(functions).flat()];
      return new Set(all).size === all.length;
    },
    `a path is named twice, or is one of ${TAKEN_PATTERNS.join(", ")}: CloudFront sends it to one place alone`,
  )
  .refine(
    (functions) => Object.values(functions).flat().length <= MAX_PATTERNS,
    `must have ${MAX_PATTERNS} paths at most, all together: CloudFront takes no more. Name what several have in common, like api/*`,
  );

const tooLong = `must be ${MAX_WAIT_SECONDS} at most where answers are not streamed: CloudFront waits no longer for one`;

export const Site = z.strictObject({
  name: name.describe("Name of the site"),
  source: z.string().min(1).describe("The app's folder, relative to this file"),
  build: Build.describe("How it is built; without it the buildspec.yml in the app's folder, or else an ordinary OpenNext build").optional(),
  buildTimeoutMinutes: z.number().int().min(5).max(480).describe("After so many minutes a build is stopped").default(20),
  checkPath: z
    .string()
    .startsWith("/")
    .describe("A path below the app's basePath that a release must answer below 500 before it may go live")
    .default("/"),
  basePath: z
    .string()
    .regex(/^$|^(\/[A-Za-z0-9_.~-]+)+$/, 'must be as in next.config: "/docs", with a slash before it and none after it')
    .describe("The app's basePath, as in its next.config, where it has split functions: on AWS their paths are made before the first build")
    .default(""),
  environments: z
    .array(Environment)
    .min(1)
    .refine(unique, "an environment is named twice")
    .describe("Where the site is live, each with an address of its own"),
  variables: z
    .array(variable)
    .refine((variables) => new Set(variables).size === variables.length, "a variable is named twice")
    .describe("Names of environment variables that builds and functions get; their values are secrets of the environment")
    .default([]),
  skewHours: z
    .number()
    .int()
    .min(0)
    .max(720)
    .describe(
      "For so many hours after another release went live, pages that are open still reach the one that they came from; 0: they reach the live one at once; a change is for what is left from then on",
    )
    .default(24),
  keep: KeepDeclared.describe(
    "How long releases are kept, besides what is live, held, pinned, under way, reached by visitors or kept by name; what nothing keeps is marked, and swept a day later",
  ).default(usualKeep),
  deploymentHeader: z
    .boolean()
    .describe(
      "On AWS its answers below 400 name the release that they come from, in x-shiplog-deployment; on one's own machine every answer does",
    )
    .default(false),
  architecture: z
    .enum(["x86_64", "arm64"])
    .describe("The processor of its functions on AWS; on one's own machine it is that machine's")
    .default("arm64"),
  streaming: z
    .boolean()
    .describe("Visitors get answers as they are made (OpenNext's wrapper aws-lambda-streaming), and not when they are whole")
    .default(false),
  sizes: Sizes.describe(
    `Memory and time limit of its functions by kind, where they are not the usual; a release takes them when it is published. timeoutSeconds of server and image ${tooLong}`,
  ).default({}),
  permissions: z.array(Permission).describe("What its servers may do besides what OpenNext needs, on AWS").default([]),
  buildCompute: z
    .enum(["small", "medium", "large", "xlarge", "2xlarge"])
    .describe("The machine that builds it on AWS: CodeBuild's compute type, BUILD_GENERAL1_SMALL and so on")
    .default("small"),
  functions: Functions.describe("Split functions, as in open-next.config.ts: the paths of each, below the app's basePath").default({}),
});

const Declared = Site.superRefine(({ streaming, sizes }, context) => {
  for (const kind of ["server", "image"] as const) {
    if (streaming && kind === "server") continue;
    if ((sizes[kind]?.timeoutSeconds ?? 0) > MAX_WAIT_SECONDS)
      context.addIssue({ code: "custom", path: ["sizes", kind, "timeoutSeconds"], message: tooLong });
  }
});

/** `$schema` is for editors: it is taken, and says nothing. */
export const SitesFile = z
  .strictObject({
    $schema: z.string().describe("Where the JSON Schema of this file is; for editors").optional(),
    sites: z.array(Declared).min(1).refine(unique, "a site is named twice").describe("What is deployed where"),
    github: GithubIssuer.describe("Whose tokens are taken of runs of GitHub Actions, where it is not GitHub's own service").optional(),
  })
  .transform(({ $schema: _, ...declared }) => declared);

export type Site = z.infer<typeof Site>;
export type SitesFile = z.infer<typeof SitesFile>;

function unique(list: readonly { name: string }[]): boolean {
  return new Set(list.map((entry) => entry.name)).size === list.length;
}
