import { componentName } from "../blueprint/engine-functions.ts";
import { specificity } from "../blueprint/path-pattern.ts";
import { type FunctionRole, kindOf, MAX_WAIT_SECONDS, ORIGIN_HEADER, siteResources, sizeOf } from "../blueprint/site-resources.ts";
import { buckets } from "./buckets.ts";
import type { DeclaredSite } from "./declared-sites.ts";
import type { siteFunctions } from "./site-functions.ts";

/** Next answers these differently, and CloudFront does not look at `Vary`. */
const SERVER_HEADERS = [
  "rsc",
  "next-router-prefetch",
  "next-router-segment-prefetch",
  "next-router-state-tree",
  "next-url",
  "x-prerender-revalidate",
];
const PREVIEW_COOKIE = "__prerender_bypass";
const YEAR = 31_536_000;

// as AWS names its managed policies
const ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

type Depends = { readonly headers: string[]; readonly cookies?: string[]; readonly query?: boolean };

const cachePolicy = (name: string, comment: string, { headers, cookies = [], query = true }: Depends) =>
  new aws.cloudfront.CachePolicy(name, {
    comment,
    minTtl: 0,
    // kept only where the app says so
    defaultTtl: 0,
    maxTtl: YEAR,
    parametersInCacheKeyAndForwardedToOrigin: {
      enableAcceptEncodingBrotli: true,
      enableAcceptEncodingGzip: true,
      queryStringsConfig: { queryStringBehavior: query ? "all" : "none" },
      headersConfig: { headerBehavior: "whitelist", headers: { items: headers } },
      cookiesConfig: cookies.length === 0 ? { cookieBehavior: "none" } : { cookieBehavior: "whitelist", cookies: { items: cookies } },
    },
  });

/**
 * CloudFront lets 100 distributions share one policy, one access control or one function; ten fewer leave room while one
 * deployment takes some out and moves others up.
 */
const SHARE = 90;

/** Made once for as many distributions, and not at all where there is none. */
const shared: ReturnType<typeof makeShared>[] = [];
let distributions = 0;
const nextShared = (): ReturnType<typeof makeShared> => {
  const index = Math.floor(distributions++ / SHARE);
  shared[index] ??= makeShared(index === 0 ? "" : String(index + 1));
  return shared[index];
};
const makeShared = (set: string) => ({
  pages: cachePolicy(`PagesCachePolicy${set}`, "What a page of Next.js depends on", { headers: SERVER_HEADERS, cookies: [PREVIEW_COOKIE] }),
  images: cachePolicy(`ImagesCachePolicy${set}`, "What a picture depends on", { headers: ["accept"], query: true }),
  // a file says how long it is kept; where there is none the app answers, which must know for which host, and is kept as it says
  keptFiles: cachePolicy(`FilesCachePolicy${set}`, "A file has its path alone", { headers: ["x-forwarded-host"], query: false }),
  access: new aws.cloudfront.OriginAccessControl(`StaticAccess${set}`, {
    description: "Files of visitors",
    originAccessControlOriginType: "s3",
    signingBehavior: "always",
    signingProtocol: "sigv4",
  }),
  // a Function URL is asked by its own name, so the app learns the visitor's host from here
  forwardHost: new aws.cloudfront.Function(`ForwardHost${set}`, {
    runtime: "cloudfront-js-2.0",
    code: 'function handler(event) { var request = event.request; request.headers["x-forwarded-host"] = { value: request.headers.host.value }; return request; }',
  }),
});

/** The CDN of one environment: `*` is the server's, files come from `_assets` alone, and `_cache` cannot be reached. */
export const edge = (
  site: DeclaredSite,
  environment: { name: string; domains: readonly string[] },
  urls: ReturnType<typeof siteFunctions>,
  originKeys: $util.Input<string>[],
) => {
  const place = componentName(`${site.name}-${environment.name}`);
  const { pages, images, keptFiles, access, forwardHost } = nextShared();
  const http = (role: FunctionRole) => ({
    customOriginConfig: {
      httpPort: 80,
      httpsPort: 443,
      originProtocolPolicy: "https-only",
      originReadTimeout: Math.min(Math.max(30, sizeOf(site, kindOf(role)).timeoutSeconds), MAX_WAIT_SECONDS),
      originSslProtocols: ["TLSv1.2"],
    },
  });
  // a viewer's own header of this name is overwritten
  const known = { name: ORIGIN_HEADER, value: $resolve(originKeys).apply((keys) => keys.join(",")) };
  const computed = {
    viewerProtocolPolicy: "redirect-to-https",
    allowedMethods: ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
    cachedMethods: ["GET", "HEAD"],
    compress: true,
    originRequestPolicyId: ALL_VIEWER_EXCEPT_HOST,
    functionAssociations: [{ eventType: "viewer-request", functionArn: forwardHost.arn }],
  };
  const files = (pathPattern: string) => ({
    pathPattern,
    targetOriginId: "files-or-page",
    viewerProtocolPolicy: "redirect-to-https",
    allowedMethods: ["GET", "HEAD", "OPTIONS"],
    cachedMethods: ["GET", "HEAD"],
    compress: true,
    cachePolicyId: keptFiles.id,
    functionAssociations: [{ eventType: "viewer-request", functionArn: forwardHost.arn }],
  });
  const [name, ...aliases] = environment.domains;
  return new sst.aws.Cdn(`${place}Cdn`, {
    comment: `Shiplog: ${site.name}/${environment.name}`,
    // functions that ask for the edge's key are told of it when the edge has it
    wait: true,
    ...(name !== undefined && { domain: { name, aliases } }),
    origins: [
      ...urls.map(([originId, url]) => ({ originId, domainName: hostOf(url), customHeaders: [known], ...http(originId) })),
      {
        originId: "files",
        domainName: buckets.static.bucketRegionalDomainName,
        originPath: `/${siteResources(site.name, environment.name).assets}`,
        originAccessControlId: access.id,
      },
    ],
    // S3 says 403 or 404, in XML, of a file that is not there: the app says it to visitors, as `next start` does
    originGroups: [
      {
        originId: "files-or-page",
        failoverCriteria: { statusCodes: [403, 404] },
        members: [{ originId: "files" }, { originId: "server" }],
      },
    ],
    defaultCacheBehavior: { ...computed, targetOriginId: "server", cachePolicyId: pages.id },
    orderedCacheBehaviors: [
      { ...computed, pathPattern: `${site.basePath}/_next/image*`, targetOriginId: "image", cachePolicyId: images.id },
      ...splitPatternsOf(site).map(([targetOriginId, pathPattern]) => ({
        ...computed,
        pathPattern,
        targetOriginId,
        cachePolicyId: pages.id,
      })),
      { ...computed, pathPattern: `${site.basePath}/_next/data/*`, targetOriginId: "server", cachePolicyId: pages.id },
      files(`${site.basePath}/_next/*`),
      // below the path of an assetPrefix, which each release may change
      files("/*/_next/static/*"),
      ...site.publicEntries.map(files),
      // CloudFront takes the first that matches
    ].sort((a, b) => specificity(b.pathPattern) - specificity(a.pathPattern)),
    transform: { distribution: { httpVersion: "http2and3" } },
  });
};

/** What goes to split functions. */
const splitPatternsOf = ({ functions, basePath }: DeclaredSite): [role: FunctionRole, pattern: string][] =>
  Object.entries(functions).flatMap(([name, patterns]) =>
    patterns.map((one): [FunctionRole, string] => [`server-${name}`, `${basePath}/${one}`]),
  );

const hostOf = ({ functionUrl }: aws.lambda.FunctionUrl) => functionUrl.apply((url) => new URL(url).host);
