import { type FunctionRole, kindOf } from "../domain/deployment/shapes.ts";
import { PREFIX } from "./prefix.ts";
import type { Site } from "./sites.ts";
import { NODE_MAJOR } from "./sites-runtime.ts";

export { type FunctionRole, kindOf };

/** The split functions of a site, by their roles. */
const splitRoles = ({ functions }: Pick<Site, "functions">): `server-${string}`[] =>
  Object.keys(functions).map((one) => `server-${one}` as const);

/** Every function that an environment of a site has, those that visitors reach first. */
export const rolesOf = (site: Pick<Site, "functions">): FunctionRole[] => [...rolesWithUrl(site), "revalidation"];

/** What builds of an engine older than projects by environment are called: one of them may end under a newer one. */
export const formerProject = (site: string): string => `${PREFIX}-${site}`;

/** The name of a function, on AWS and locally. */
export const functionOf = (site: string, environment: string, role: FunctionRole): string => `${PREFIX}-${site}-${environment}-${role}`;

/** The names of all functions of one environment. */
export const functionNames = (site: string, environment: string, declared: Pick<Site, "functions">): string[] =>
  rolesOf(declared).map((role) => functionOf(site, environment, role));

/** Every name that the resources of one environment of a site have, besides those of split functions, on AWS and locally. */
export const siteResources = (site: string, environment: string) => {
  const prefix = `${PREFIX}-${site}-${environment}`;
  return {
    /** those that each environment has */
    functions: {
      server: functionOf(site, environment, "server"),
      image: functionOf(site, environment, "image"),
      revalidation: functionOf(site, environment, "revalidation"),
    },
    alias: "live",
    revalidationQueue: `${prefix}-revalidation.fifo`,
    revalidationDeadLetters: `${prefix}-revalidation-dead.fifo`,
    tagTable: `${prefix}-tags`,
    /** keys in the static bucket */
    assets: `${site}/${environment}/_assets`,
    cache: `${site}/${environment}/_cache`,
    releases: `${site}/${environment}/_releases`,
    publicFiles: `${site}/${environment}/_public`,
    secret: `${PREFIX}/${site}/${environment}`,
    /** keys of its edge, each by its number below */
    originKeys: `/${PREFIX}/${site}/${environment}/origin-keys`,
    project: prefix,
    /** keys in the artifacts bucket: what its builds leave, and what they keep for the next */
    builds: `builds/${site}/${environment}`,
    buildCache: `caches/${site}/${environment}`,
    /** keys in the artifacts bucket: lists of what was marked to be swept */
    sweeps: `sweeps/${site}/${environment}`,
  } as const;
};

/** Sizes that suit OpenNext's functions, by kind: of the placeholders, and of every release. */
export const siteFunctionSizes = {
  server: { memoryMb: 1024, timeoutSeconds: 20 },
  image: { memoryMb: 1536, timeoutSeconds: 25 },
  revalidation: { memoryMb: 256, timeoutSeconds: 30 },
} as const;

/** The queue of pages to make again: FIFO, as OpenNext's server writes it, and read by the alias `live` of its function. */
export const revalidation = {
  maxReceives: 5,
  batchSize: 5,
  /** so many pages that OpenNext could not confirm are ordinary; more are worth a look */
  deadLettersMax: 100,
} as const;

/** What a site's functions of a kind have, as it is declared or else usual. */
export const sizeOf = (
  { sizes }: Pick<Site, "sizes">,
  kind: keyof typeof siteFunctionSizes,
): { memoryMb: number; timeoutSeconds: number } => {
  const { memoryMb, timeoutSeconds } = siteFunctionSizes[kind];
  return { memoryMb: sizes[kind]?.memoryMb ?? memoryMb, timeoutSeconds: sizes[kind]?.timeoutSeconds ?? timeoutSeconds };
};

/** A page to make again is hidden for as long as that may take, six times. */
export const revalidationVisibilitySeconds = (site: Pick<Site, "sizes">): number => 6 * sizeOf(site, "revalidation").timeoutSeconds;

/** Those that visitors reach by an address of their own. */
export const rolesWithUrl = (site: Pick<Site, "functions">): Exclude<FunctionRole, "revalidation">[] => [
  "server",
  ...splitRoles(site),
  "image",
];

/** Node of the sites' functions and of the engine's. */
export const RUNTIME = `nodejs${NODE_MAJOR}.x` as const;

/** Held by every build besides the site's own variables: Server Actions of open pages must work across releases. */
export const ACTIONS_KEY = "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY";

/** What builds and servers are given of their environment's secret, by name. What else is in it stays there. */
export const givenVariables = ({ variables }: Pick<Site, "variables">): string[] => [ACTIONS_KEY, ...variables];

/** How a function is asked: for a whole result, or for what it streams. Only servers stream. */
export const invokeModeOf = (site: Pick<Site, "streaming">, role: FunctionRole): "BUFFERED" | "RESPONSE_STREAM" =>
  site.streaming && kindOf(role) === "server" ? "RESPONSE_STREAM" : "BUFFERED";

/** The code of a site's function before its first release, for an address of either mode. */
export const placeholderCode = (mode: "BUFFERED" | "RESPONSE_STREAM"): string => {
  const prelude = '{ statusCode: 503, headers: { "content-type": "text/plain" }';
  const text = '"Nothing has been deployed here yet."';
  if (mode === "BUFFERED") return `export const handler = async () => (${prelude}, body: ${text} });\n`;
  // written before it is ended: the runtime sends a prelude with the first write
  return `export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const out = awslambda.HttpResponseStream.from(stream, ${prelude} });
  out.write(${text});
  out.end();
});
`;
};

/** The header with which an edge says its environment's keys to functions, between commas. No visitor's own passes it. */
export const ORIGIN_HEADER = "x-shiplog-origin";

/** What an alias says before the first release: sequence 0 of nothing. */
export const EMPTY_ALIAS = "seq=0 dep=none";

/** CloudFront waits so long for an answer's first byte, or for the next one of what streams. Only servers stream. */
export const MAX_WAIT_SECONDS = 60;
