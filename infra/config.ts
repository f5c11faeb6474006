import { BUS, EVENTS_TABLE, SEAL_KEY, VIEWS_TABLE } from "../blueprint/topology.ts";
import { region } from "./account.ts";
import { buckets } from "./buckets.ts";
import { environments } from "./sites.ts";

/** Name → sha256 (hex) of each API token, as JSON: `npx sst secret set ApiTokens '{"ci":"…"}'`. Nobody may call until then. */
const tokens = new sst.Secret("ApiTokens", "{}");

/** An environment of a Lambda function is 4 KB at most, and this document is in it. */
const MAX_BYTES = 3_900;

const document = $jsonStringify({
  region,
  eventsTable: EVENTS_TABLE,
  viewsTable: VIEWS_TABLE,
  bus: BUS,
  buckets: {
    sources: buckets.sources.bucket,
    artifacts: buckets.artifacts.bucket,
    static: buckets.static.bucket,
    archive: buckets.archive.bucket,
  },
  sealKey: SEAL_KEY,
  sites: environments.map(({ site, environment, url, host, distribution, revalidationQueueUrl }) => ({
    site: site.name,
    environment,
    host,
    url,
    checkPath: site.checkPath,
    basePath: site.basePath,
    variables: site.variables,
    architecture: site.architecture,
    // only where it does: the document has room for few
    ...(site.streaming && { streaming: true }),
    ...(Object.keys(site.functions).length > 0 && { functions: site.functions }),
    distribution: distribution.id,
    revalidationQueueUrl,
    buildTimeoutMinutes: site.buildTimeoutMinutes,
  })),
  tokens: tokens.value.apply((text) => JSON.parse(text) as Record<string, string>),
});

/** What every function of the engine is told: `EngineConfig` of `blueprint/engine-config.ts`. */
export const engineConfig = document.apply((text) => {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES)
    throw new Error(
      `SHIPLOG_CONFIG is ${bytes} bytes and may have ${MAX_BYTES}: declare fewer environments or API tokens in this account, and the rest in another`,
    );
  return text;
});
