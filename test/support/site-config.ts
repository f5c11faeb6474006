import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { usualKeep } from "../../blueprint/keep.ts";

/** What the engine knows of one environment, where a test is not about that. */
export const siteConfigOf = (site: string, environment: string, host = `${site}.example.com`): SiteConfig => ({
  site,
  environment,
  host,
  url: `https://${host}`,
  checkPath: "/",
  variables: [],
  valuesReadableBy: [],
  architecture: "x86_64",
  originKeys: [],
  sizes: {},
  streaming: false,
  functions: {},
  distribution: null,
  edgeTable: null,
  skewHours: 24,
  keep: usualKeep,
  revalidationQueueUrl: "https://queue",
  buildTimeoutMinutes: 20,
  github: [],
});
