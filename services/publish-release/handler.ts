import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { ACTIONS_KEY, functionOf, siteResources } from "../../blueprint/site-resources.ts";
import type { SiteSecrets } from "../../engine/aws/secrets.ts";
import { readTagSeeds, uploadAssets } from "../../engine/open-next/assets.ts";
import { guardOf } from "../../engine/open-next/guard.ts";
import { type Inspected, inspect, isRead, type Package } from "../../engine/open-next/inspect.ts";
import { OutputRefused } from "../../engine/open-next/output.ts";
import { hasKeys, previewKeysOf, replacing } from "../../engine/open-next/preview-keys.ts";
import { isGuarded, secretsGiven, settingsOf } from "../../engine/open-next/settings.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { addresses, aggregates, edgeTable, functions, objects, rows, secrets, site, tags } from "../../engine/wiring/parts.ts";
import { unzipInto, zipFolderOf } from "../../engine/zip/archive.ts";
import { publishFunction } from "./publish-function.ts";
import { publishRelease } from "./publish-release.ts";
import { reporter } from "./report.ts";

/** The build as it was fetched, beside the folder that it is unpacked into. */
const artifactOf = (root: string): string => `${root}.zip`;

/** The preview keys of a build, by those that every release of its environment has. */
const replacedIn = (of: SiteConfig, { preview }: Inspected, { values }: SiteSecrets) => {
  const secret = values[ACTIONS_KEY];
  // no build begins without one: who took it away since keeps what the build has, in all of its functions
  return preview === null || !secret ? [] : replacing(preview, previewKeysOf(of, secret));
};

type Parts = Pick<
  Engine,
  "aggregates" | "functions" | "clock" | "objects" | "tags" | "rows" | "secrets" | "config" | "site" | "addresses" | "edgeTable"
>;

const verb = ({ aggregates, functions, clock, objects, tags, rows, secrets, config, site, addresses, edgeTable }: Parts) => {
  const locations = ({ site, environment }: SiteConfig) => ({ bucket: config.buckets.static, ...siteResources(site, environment) });

  /** A folder of its own for one piece of work, gone afterwards. */
  const withFolder = async <T>(use: (folder: string) => Promise<T>): Promise<T> => {
    const folder = await mkdtemp(join(tmpdir(), "shiplog-release-"));
    try {
      return await use(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  const publish = (of: SiteConfig, build: Inspected, { role, handler, folder }: Package, secret: SiteSecrets, set: string) =>
    withFolder(async (scratch) => {
      const zip = join(scratch, "code.zip");
      const { sha256Hex, sha256Base64 } = await zipFolderOf(artifactOf(build.root), folder, zip, {
        added: isGuarded(role, of) ? [guardOf(handler)] : [],
        replaced: hasKeys(role) ? replacedIn(of, build, secret) : [],
      });
      const code = { bucket: config.buckets.artifacts, key: `functions/${sha256Hex}.zip`, sha256: sha256Base64 };
      // a function that did not change is there
      if ((await objects.fingerprint(code.bucket, code.key)) === undefined) await objects.putNew(code.bucket, code.key, zip, sha256Hex);
      const name = functionOf(of.site, of.environment, role);
      const { settings, name: settingsName } = settingsOf(
        role,
        handler,
        of,
        { bucket: config.buckets.static, region: config.region, set },
        secret,
      );
      const { version, codeSha256 } = await publishFunction({ functions, clock }, name, code, settings, of.architecture);
      return { role, name, version, codeSha256, settings: settingsName };
    });

  return publishRelease({
    aggregates,
    site,
    withBuild: ({ bucket, key, sha256 }, use) =>
      withFolder(async (scratch) => {
        const root = join(scratch, "output");
        const zip = artifactOf(root);
        const found = await objects.download(bucket, key, zip);
        if (found === undefined) throw new OutputRefused(`the build's artifact ${key} is gone from ${bucket}: deploy again`);
        if (sha256 !== undefined && found !== sha256)
          throw new OutputRefused(
            `the artifact ${key} in ${bucket} is not what the build left (its SHA-256 is ${found}, and the log has ${sha256}): somebody wrote another; find out who, then deploy again`,
          );
        const { held } = await unzipInto(zip, root, { only: isRead });
        return use({ root, held });
      }),
    inspect,
    uploadAssets: (of, build, ids, report) => uploadAssets(objects, locations(of), build, ids, report),
    tagSeeds: readTagSeeds,
    seedTags: (of, seeds) => tags.seed(siteResources(of.site, of.environment).tagTable, seeds),
    secrets: async (of) => secretsGiven(of, await secrets.read(siteResources(of.site, of.environment).secret)),
    publish,
    invoke: functions.invoke,
    hasAsset: async (of, path) => {
      const { bucket, assets } = locations(of);
      return (await objects.fingerprint(bucket, `${assets}/${path}`)) !== undefined;
    },
    addresses,
    edgeTable,
    clock,
    progress: (deploymentId) => reporter(clock, (progress) => rows.setProgress(deploymentId, progress)),
    now: clock.now,
  });
};

export const { wire, handler } = consumerOf(
  "publish-release",
  { addresses, aggregates, edgeTable, functions, objects, tags, rows, secrets, site },
  verb,
);
