import { type FunctionRole, kindOf } from "../domain/deployment/shapes.ts";
import { RELEASE_HEADER } from "./edge-table.ts";
import { specificity } from "./path-pattern.ts";
import type { Site } from "./sites.ts";

/** What the edge keeps answers apart by, besides the path; everything else of a request makes no difference to what is kept. */
export type CacheKey = {
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
  /** names of the query that do not count, or `none`: no query counts */
  readonly query: { readonly except: readonly string[] } | "none";
  /** seconds that an answer is kept at most, whatever it says itself, and once more so long while it is fetched again */
  readonly maxSeconds: number;
};

const YEAR = 31_536_000;
/**
 * Next.js says of pages that they may be kept for a year, and nobody tells the edge when the app makes one again (`revalidatePath`,
 * `revalidateTag`): so visitors see it after this time at the latest.
 */
const PAGE_SECONDS = 60;

/** Next.js answers these differently, and CloudFront does not look at `Vary`. */
const SERVER_HEADERS = [
  "rsc",
  "next-router-prefetch",
  "next-router-segment-prefetch",
  "next-router-state-tree",
  "next-url",
  "x-prerender-revalidate",
];
/** `_rsc` is a digest of those headers, and another for each page one comes from; the release says what `dpl` says. */
const MARKS = { except: ["_rsc", "dpl"] } as const;

export const cacheKeys = {
  // an environment has several hosts, and an app may answer by them; the router says which it is, and no visitor does
  pages: {
    headers: [...SERVER_HEADERS, "x-forwarded-host", RELEASE_HEADER],
    cookies: ["__prerender_bypass"],
    query: MARKS,
    maxSeconds: PAGE_SECONDS,
  },
  images: { headers: ["accept", RELEASE_HEADER], cookies: [], query: MARKS, maxSeconds: YEAR },
  /** of a file that is not there the app says so, which must know for which host */
  files: { headers: ["x-forwarded-host"], cookies: [], query: "none", maxSeconds: YEAR },
} as const satisfies Record<string, CacheKey>;

/**
 * What a path of an environment is at its edge. `origin`: where a request goes that the router sends nowhere else; `files` are
 * files of the static bucket, and where there is none the server says so.
 */
export type Behavior = {
  readonly pattern: string;
  readonly origin: Exclude<FunctionRole, "revalidation"> | "files";
  readonly cacheKey: keyof typeof cacheKeys;
};

/**
 * The behaviours of an environment's edge in the order in which they are tried; `*` comes last. None depends on a release: what
 * Next.js has below a basePath, and its files below the path of an assetPrefix, each release may have elsewhere.
 */
export const behaviorsOf = ({
  basePath = "",
  functions,
}: Pick<Site, "functions"> & { readonly basePath?: string | undefined }): Behavior[] => [
  ...[
    { pattern: "/_next/image*", origin: "image", cacheKey: "images" } as const,
    { pattern: "/*/_next/image*", origin: "image", cacheKey: "images" } as const,
    ...Object.entries(functions).flatMap(([name, patterns]) =>
      patterns.map((one) => ({ pattern: `${basePath}/${one}`, origin: `server-${name}`, cacheKey: "pages" }) as const),
    ),
    { pattern: "/_next/data/*", origin: "server", cacheKey: "pages" } as const,
    { pattern: "/_next/*", origin: "files", cacheKey: "files" } as const,
    { pattern: "/*/_next/static/*", origin: "files", cacheKey: "files" } as const,
  ].sort((a, b) => specificity(b.pattern) - specificity(a.pattern)),
  { pattern: "*", origin: "server", cacheKey: "pages" },
];

/** Whether a behaviour takes what changes something too; files are only read. */
export const takesEveryMethod = ({ origin }: Behavior): boolean => origin !== "files" && kindOf(origin) !== "revalidation";
