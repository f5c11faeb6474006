import { componentName } from "../blueprint/engine-functions.ts";
import { specificity } from "../blueprint/path-pattern.ts";
import { type FunctionRole, MAX_WAIT_SECONDS, ORIGIN_HEADER, siteResources, sizeOf } from "../blueprint/sites.ts";
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
const CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

const cachePolicy = (name: string, headers: string[], cookies: string[]) =>
  new aws.cloudfront.CachePolicy(name, {
    comment: "What a page of Next.js depends on",
    minTtl: 0,
    // kept only where the app says so
    defaultTtl: 0,
    maxTtl: YEAR,
    parametersInCacheKeyAndForwardedToOrigin: {
      enableAcceptEncodingBrotli: true,
      enableAcceptEncodingGzip: true,
      queryStringsConfig: { queryStringBehavior: "all" },
      headersConfig: { headerBehavior: "whitelist", headers: { items: headers } },
      cookiesConfig: cookies.length === 0 ? { cookieBehavior: "none" } : { cookieBehavior: "whitelist", cookies: { items: cookies } },
    },
  });

/** Made once and shared by every site, and not at all where there is none. */
let shared: ReturnType<typeof makeShared> | undefined;
const makeShared = () => ({
  pages: cachePolicy("PagesCachePolicy", SERVER_HEADERS, [PREVIEW_COOKIE]),
  images: cachePolicy("ImagesCachePolicy", ["accept"], []),
  access: new aws.cloudfront.OriginAccessControl("StaticAccess", {
    description: "Files of visitors",
    originAccessControlOriginType: "s3",
    signingBehavior: "always",
    signingProtocol: "sigv4",
  }),
  // of a visitor's request for a file the server needs no more, where there is none
  visitorsHost: new aws.cloudfront.OriginRequestPolicy("VisitorsHost", {
    comment: "The host that a visitor asked for",
    headersConfig: { headerBehavior: "whitelist", headers: { items: ["x-forwarded-host"] } },
    cookiesConfig: { cookieBehavior: "none" },
    queryStringsConfig: { queryStringBehavior: "none" },
  }),
  // a Function URL is asked by its own name, so the app learns the visitor's host from here
  forwardHost: new aws.cloudfront.Function("ForwardHost", {
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
  shared ??= makeShared();
  const { pages, images, access, visitorsHost, forwardHost } = shared;
  const http = {
    customOriginConfig: {
      httpPort: 80,
      httpsPort: 443,
      originProtocolPolicy: "https-only",
      originReadTimeout: Math.min(Math.max(30, sizeOf(site, "server").timeoutSeconds), MAX_WAIT_SECONDS),
      originSslProtocols: ["TLSv1.2"],
    },
  };
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
    cachePolicyId: CACHING_OPTIMIZED,
    originRequestPolicyId: visitorsHost.id,
    functionAssociations: [{ eventType: "viewer-request", functionArn: forwardHost.arn }],
  });
  const [name, ...aliases] = environment.domains;
  return new sst.aws.Cdn(`${place}Cdn`, {
    comment: `Shiplog: ${site.name}/${environment.name}`,
    wait: false,
    ...(name !== undefined && { domain: { name, aliases } }),
    origins: [
      ...urls.map(([originId, url]) => ({ originId, domainName: hostOf(url), customHeaders: [known], ...http })),
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
