import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Behavior, behaviorsOf, type CacheKey, cacheKeys, takesEveryMethod } from "../blueprint/edge-behaviors.ts";
import { componentName } from "../blueprint/engine-functions.ts";
import { type FunctionRole, kindOf, MAX_WAIT_SECONDS, ORIGIN_HEADER, siteResources, sizeOf } from "../blueprint/site-resources.ts";
import { buckets } from "./buckets.ts";
import type { DeclaredSite } from "./declared-sites.ts";
import type { siteFunctions } from "./site-functions.ts";

// as AWS names its managed policies
const ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

/** What decides which release answers. The local edge runs the same file. */
const ROUTER = readFileSync(join($cli.paths.root, "blueprint/edge-router.js"), "utf8");
/** What names that release on answers. */
const HEADER = readFileSync(join($cli.paths.root, "blueprint/edge-answer.js"), "utf8");

const cachePolicy = (name: string, comment: string, { headers, cookies, query, maxSeconds }: CacheKey) =>
  new aws.cloudfront.CachePolicy(name, {
    comment,
    minTtl: 0,
    // kept only where the app says so
    defaultTtl: 0,
    maxTtl: maxSeconds,
    parametersInCacheKeyAndForwardedToOrigin: {
      enableAcceptEncodingBrotli: true,
      enableAcceptEncodingGzip: true,
      queryStringsConfig:
        query === "none"
          ? { queryStringBehavior: "none" }
          : { queryStringBehavior: "allExcept", queryStrings: { items: [...query.except] } },
      headersConfig: { headerBehavior: "whitelist", headers: { items: [...headers] } },
      cookiesConfig: cookies.length === 0 ? { cookieBehavior: "none" } : { cookieBehavior: "whitelist", cookies: { items: [...cookies] } },
    },
  });

/**
 * CloudFront lets 100 distributions share one policy, one access control or one function; ten fewer leave room while one
 * deployment takes some out and moves others up. A function looks into one table alone, so that each has its own: of 5 MB,
 * of which 90 environments have 58 KB each, and an account has at least 50 of them. One that moves up finds no rows in its new
 * table until the engine has written them, and is answered by what is live until then.
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
const makeShared = (set: string) => {
  // what is in it comes from the log, and can be made again
  const table = new aws.cloudfront.KeyValueStore(`EdgeTable${set}`, { comment: "Which release of which environment answers" });
  let header: aws.cloudfront.Function | undefined;
  return {
    table,
    policies: {
      pages: cachePolicy(`PagesCachePolicy${set}`, "What a page of Next.js depends on", cacheKeys.pages),
      images: cachePolicy(`ImagesCachePolicy${set}`, "What a picture depends on", cacheKeys.images),
      files: cachePolicy(`FilesCachePolicy${set}`, "A file has its path alone", cacheKeys.files),
    },
    access: new aws.cloudfront.OriginAccessControl(`StaticAccess${set}`, {
      description: "Files of visitors",
      originAccessControlOriginType: "s3",
      signingBehavior: "always",
      signingProtocol: "sigv4",
    }),
    router: new aws.cloudfront.Function(`EdgeRouter${set}`, {
      comment: "Sends each request to the release that answers it",
      runtime: "cloudfront-js-2.0",
      code: ROUTER,
      keyValueStoreAssociations: [table.arn],
    }),
    /** only where a site asks for it: each answer of one that has it costs a second run of a function */
    header: () => {
      header ??= new aws.cloudfront.Function(`EdgeHeader${set}`, {
        comment: "Names on each answer the release that it comes from",
        runtime: "cloudfront-js-2.0",
        code: HEADER,
      });
      return header;
    },
  };
};

/**
 * The CDN of one environment, and the table that it looks up. None of it depends on a release: its origins are the addresses
 * of what is live, which answers where the table says nothing. Files come from `_assets` alone; `_cache` cannot be reached.
 */
export const edge = (
  site: DeclaredSite,
  environment: { name: string; domains: readonly string[] },
  urls: ReturnType<typeof siteFunctions>,
  originKeys: $util.Input<string>[],
) => {
  const place = componentName(`${site.name}-${environment.name}`);
  const { table, policies, access, router, header } = nextShared();
  const functionAssociations = [
    { eventType: "viewer-request", functionArn: router.arn },
    ...(site.deploymentHeader ? [{ eventType: "viewer-response", functionArn: header().arn }] : []),
  ];
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
  const behavior = (one: Behavior) => ({
    targetOriginId: one.origin === "files" ? "files-or-page" : one.origin,
    viewerProtocolPolicy: "redirect-to-https",
    allowedMethods: takesEveryMethod(one) ? ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"] : ["GET", "HEAD", "OPTIONS"],
    cachedMethods: ["GET", "HEAD"],
    compress: true,
    cachePolicyId: policies[one.cacheKey].id,
    ...(one.origin !== "files" && { originRequestPolicyId: ALL_VIEWER_EXCEPT_HOST }),
    functionAssociations,
  });
  const behaviors = behaviorsOf(site);
  const [rest] = behaviors.slice(-1);
  const [name, ...aliases] = environment.domains;
  const cdn = new sst.aws.Cdn(`${place}Cdn`, {
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
    defaultCacheBehavior: behavior(rest),
    orderedCacheBehaviors: behaviors.slice(0, -1).map((one) => ({ pathPattern: one.pattern, ...behavior(one) })),
    transform: { distribution: { httpVersion: "http2and3" } },
  });
  return { cdn, table };
};

const hostOf = ({ functionUrl }: aws.lambda.FunctionUrl) => functionUrl.apply((url) => new URL(url).host);
