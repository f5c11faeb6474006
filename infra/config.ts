import { githubTokens } from "../blueprint/github.ts";
import { PREFIX } from "../blueprint/prefix.ts";
import { BUS, EVENTS_TABLE, PEOPLE_TABLE, SEAL_KEY, SNAPSHOTS_TABLE, VIEWS_TABLE } from "../blueprint/topology.ts";
import { region } from "./account.ts";
import { buckets } from "./buckets.ts";
import { declaredGithub, declaredSites } from "./declared-sites.ts";
import { httpApi } from "./http-api.ts";
import { environments } from "./sites.ts";

/**
 * Name → sha256 (hex) of each API token, as JSON: `npx shiplog sst secret set ApiTokens '{"ci":"…"}'`; of one that may look alone
 * `{"wall":{"sha256":"…","scope":"read"}}`. Nobody may call until then.
 */
const tokens = new sst.Secret("ApiTokens", "{}");

const github = httpApi.url.apply((url) => githubTokens({ github: declaredGithub, sites: declaredSites }, url));

const document = $jsonStringify({
  region,
  eventsTable: EVENTS_TABLE,
  viewsTable: VIEWS_TABLE,
  snapshotsTable: SNAPSHOTS_TABLE,
  peopleTable: PEOPLE_TABLE,
  bus: BUS,
  buckets: {
    sources: buckets.sources.bucket,
    artifacts: buckets.artifacts.bucket,
    static: buckets.static.bucket,
    archive: buckets.archive.bucket,
  },
  sealKey: SEAL_KEY,
  sites: environments.map(
    ({ site, environment, valuesReadableBy, url, host, originKeys, github, distribution, edgeTable, revalidationQueueUrl }) => ({
      site: site.name,
      environment,
      host,
      url,
      checkPath: site.checkPath,
      basePath: site.basePath,
      variables: site.variables,
      ...(valuesReadableBy.length > 0 && { valuesReadableBy }),
      architecture: site.architecture,
      originKeys,
      ...(Object.keys(site.sizes).length > 0 && { sizes: site.sizes }),
      // only where it does
      ...(site.streaming && { streaming: true }),
      ...(Object.keys(site.functions).length > 0 && { functions: site.functions }),
      ...(github.length > 0 && { github }),
      distribution: distribution.id,
      edgeTable: edgeTable.arn,
      skewHours: site.skewHours,
      keep: site.keep,
      revalidationQueueUrl,
      buildTimeoutMinutes: site.buildTimeoutMinutes,
    }),
  ),
  github,
  tokens: tokens.value.apply((text) => JSON.parse(text) as Record<string, string | { sha256: string; scope: "all" | "read" }>),
});

/** Where a function of the engine finds its configuration (`EngineConfig` of `blueprint/engine-config.ts`). */
export const CONFIG_FILE = "/opt/shiplog.json";

/**
 * The configuration as a layer of its own: a function's environment has 4 KB, which nine environments of sites fill. Another
 * document is another version of the layer, so a function has read all of one or all of the other.
 */
export const configLayer = new aws.lambda.LayerVersion("Config", {
  layerName: `${PREFIX}-config`,
  description: "What Shiplog's functions are told of this account",
  code: document.apply((text) => new $util.asset.AssetArchive({ "shiplog.json": new $util.asset.StringAsset(text) })),
});
