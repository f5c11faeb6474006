import type { EngineConfig, SiteConfig } from "../../blueprint/engine-config.ts";
import { functionNames, siteResources } from "../../blueprint/site-resources.ts";

/** An environment as its sweeps see it: what it declares, and where its things lie. */
export type Place = {
  readonly site: string;
  readonly environment: string;
  readonly keep: SiteConfig["keep"];
  /** for so long what names a release that is not live any more may reach it */
  readonly skewHours: number;
  readonly edge: Pick<SiteConfig, "edgeTable" | "distribution">;
  readonly functions: readonly string[];
  /** the alias of each that visitors are sent to */
  readonly alias: string;
  readonly bucket: string;
  readonly artifacts: string;
  /** folders in the bucket, without a slash at the end */
  readonly assets: string;
  readonly cache: string;
  readonly releases: string;
  readonly publicFiles: string;
  readonly tagTable: string;
  /** folder of the lists of what was marked, in the bucket of artifacts */
  readonly lists: string;
};

export const placeOf = ({ buckets }: Pick<EngineConfig, "buckets">, declared: SiteConfig): Place => {
  const { site, environment, keep, skewHours, edgeTable, distribution } = declared;
  const { alias, assets, cache, releases, publicFiles, tagTable, sweeps } = siteResources(site, environment);
  return {
    site,
    environment,
    keep,
    skewHours,
    edge: { edgeTable, distribution },
    functions: functionNames(site, environment, declared),
    alias,
    bucket: buckets.static,
    artifacts: buckets.artifacts,
    assets,
    cache,
    releases,
    publicFiles,
    tagTable,
    lists: sweeps,
  };
};
