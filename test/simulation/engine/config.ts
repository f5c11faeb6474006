import { hash } from "node:crypto";
import type { EngineConfig, SiteConfig } from "../../../blueprint/engine-config.ts";
import { usualKeep } from "../../../blueprint/keep.ts";
import { BUS, EVENTS_TABLE, PEOPLE_TABLE, SEAL_KEY, SNAPSHOTS_TABLE, VIEWS_TABLE } from "../../../blueprint/topology.ts";

export const TOKEN = "a-token-of-the-simulation";
export const places = [
  { site: "web", environment: "production" },
  { site: "web", environment: "preview" },
  { site: "docs", environment: "production" },
] as const;

export type Place = (typeof places)[number];

/** Hours of a window that ends within a world of short ones: longer than most flips, shorter than what people do. */
export const SHORT_WINDOW = 0.1;

const siteOf = ({ site, environment }: Place): SiteConfig => ({
  site,
  environment,
  host: `${environment}.${site}.example`,
  url: `https://${environment}.${site}.example`,
  checkPath: "/",
  variables: ["API_KEY"],
  architecture: "arm64",
  valuesReadableBy: [],
  originKeys: [],
  sizes: {},
  streaming: false,
  functions: {},
  distribution: `E${site}${environment}`,
  edgeTable: "arn:aws:cloudfront::123456789012:key-value-store/edge",
  skewHours: 24,
  keep: usualKeep,
  revalidationQueueUrl: `https://sqs.example/${site}-${environment}.fifo`,
  buildTimeoutMinutes: 20,
  github: [],
});

export const config: EngineConfig = {
  region: "eu-west-1",
  eventsTable: EVENTS_TABLE,
  viewsTable: VIEWS_TABLE,
  snapshotsTable: SNAPSHOTS_TABLE,
  peopleTable: PEOPLE_TABLE,
  bus: BUS,
  buckets: { sources: "sources", artifacts: "artifacts", static: "static", archive: "archive" },
  sealKey: SEAL_KEY,
  sites: places.map(siteOf),
  tokens: { simulation: hash("sha256", TOKEN, "hex") },
};

/** What the release before was told: another queue, so that what it publishes has other settings. */
export const configBefore: EngineConfig = {
  ...config,
  sites: config.sites.map((one) => ({ ...one, checkPath: "/health", revalidationQueueUrl: `before-${one.revalidationQueueUrl}` })),
};
