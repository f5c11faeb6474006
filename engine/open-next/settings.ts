import { createHash } from "node:crypto";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { givenVariables, siteResources, sizeOf } from "../../blueprint/site-resources.ts";
import { type FunctionRole, kindOf } from "../../domain/deployment/shapes.ts";
import type { Settings } from "../aws/functions.ts";
import type { SiteSecrets } from "../aws/secrets.ts";
import { guardOf, ORIGIN_KEYS } from "./guard.ts";
import { setFolder } from "./manifest.ts";

/** Whether a function asks for its environment's keys: those that visitors reach do. */
export const isGuarded = (role: FunctionRole, { originKeys }: Pick<SiteConfig, "originKeys">): boolean =>
  kindOf(role) !== "revalidation" && originKeys.length > 0;

/** What a release of a site is given of its environment's secret: a variable that is declared no more stays behind. */
export const secretsGiven = (site: Pick<SiteConfig, "variables">, { values, version, fingerprints }: SiteSecrets): SiteSecrets => {
  const names = givenVariables(site);
  const only = <T>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  return { values: only(values), version, fingerprints: fingerprints && only(fingerprints) };
};

/** Where a release's functions find what is stored: the bucket with its region, and the set of its public files. */
export type Stored = { readonly bucket: string; readonly region: string; readonly set: string };

/** The settings of one function of a release; the site's own variables go to servers alone. */
export const settingsOf = (
  role: FunctionRole,
  bundled: string,
  site: SiteConfig,
  stored: Stored,
  secrets: SiteSecrets,
): { settings: Settings /** names the settings without giving a value away */; name: string } => {
  const kind = kindOf(role);
  const { assets, cache, tagTable } = siteResources(site.site, site.environment);
  const own = {
    server: {
      CACHE_BUCKET_NAME: stored.bucket,
      CACHE_BUCKET_KEY_PREFIX: cache,
      CACHE_BUCKET_REGION: stored.region,
      CACHE_DYNAMO_TABLE: tagTable,
      REVALIDATION_QUEUE_URL: site.revalidationQueueUrl,
      REVALIDATION_QUEUE_REGION: stored.region,
    },
    image: { BUCKET_NAME: stored.bucket, BUCKET_KEY_PREFIX: setFolder(assets, stored.set) },
    revalidation: {},
  }[kind];
  const values = kind === "server" ? secretsGiven(site, secrets).values : {};
  const guarded = isGuarded(role, site);
  const handler = guarded ? guardOf(bundled).handler : bundled;
  const keys = guarded ? { [ORIGIN_KEYS]: site.originKeys.join(",") } : {};
  const sizes = sizeOf(site, kind);
  const names = Object.keys(values).sort();
  const open = JSON.stringify({ handler, ...sizes, own: { ...own, ...keys }, names });
  const name = `${createHash("sha256").update(open).digest("base64url").slice(0, 16)}.${kind === "server" ? secrets.version : "none"}`;
  return { settings: { handler, ...sizes, variables: { ...values, ...own, ...keys } }, name };
};
