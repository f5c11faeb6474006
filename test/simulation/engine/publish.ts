import { hash } from "node:crypto";
import { publicSetOf } from "../../../blueprint/edge-table.ts";
import type { SiteConfig } from "../../../blueprint/engine-config.ts";
import { functionOf, siteResources } from "../../../blueprint/site-resources.ts";
import type { FunctionRole } from "../../../domain/deployment/shapes.ts";
import type { ReleaseAddresses } from "../../../engine/aws/addresses.ts";
import type { EdgeTable } from "../../../engine/aws/edge-table.ts";
import type { Functions, Settings } from "../../../engine/aws/functions.ts";
import type { Objects } from "../../../engine/aws/objects.ts";
import type { Aggregates } from "../../../engine/log/execute.ts";
import type { Inspected } from "../../../engine/open-next/inspect.ts";
import { type Manifest, manifestKey, setFolder, setOf } from "../../../engine/open-next/manifest.ts";
import { OutputRefused } from "../../../engine/open-next/output.ts";
import { settingsOf } from "../../../engine/open-next/settings.ts";
import { publishFunction } from "../../../services/publish-release/publish-function.ts";
import { publishRelease } from "../../../services/publish-release/publish-release.ts";
import { virtualClock } from "../world/clock.ts";
import { cloudHere } from "./clouds.ts";
import { config } from "./config.ts";

type Parts = {
  readonly addresses: ReleaseAddresses;
  readonly edgeTable: EdgeTable;
  readonly aggregates: Aggregates;
  readonly functions: Functions;
  readonly objects: Objects;
  readonly secrets: { read(secret: string): Promise<{ values: Readonly<Record<string, string>>; version: string }> };
  site(site: string, environment: string): SiteConfig | undefined;
};
/** An artifact of the simulation: a line of JSON in place of a zip. */
type Artifact = { readonly id: string; readonly mood: string; readonly shared: number };

const roles: readonly FunctionRole[] = ["server", "image", "revalidation"];
/** Settings in the words of both sides, to compare what was recorded with what runs. */
export const textOf = ({ handler, memoryMb, timeoutSeconds, variables }: Settings): string =>
  JSON.stringify([handler, memoryMb, timeoutSeconds, Object.entries(variables).sort()]);
const digest = (text: string): string => hash("sha256", text, "hex");

/** `publish-release` as its handler wires it, with texts where that has archives and folders. */
export const publishWiring = ({ addresses, aggregates, edgeTable, functions, objects, secrets, site }: Parts) => {
  const placesOf = (of: SiteConfig) => ({ bucket: config.buckets.static, ...siteResources(of.site, of.environment) });
  /** Every server is another one; the helpers of many builds are the same. */
  const codeOf = (role: FunctionRole, { id, mood, shared }: Artifact): string =>
    role === "server" ? `server of ${id}: ${mood}` : `${role} ${shared}`;

  return publishRelease({
    aggregates,
    site,
    withBuild: async ({ bucket, key }, use) => {
      const text = await objects.getText(bucket, key);
      if (text === undefined) throw new OutputRefused(`the build's artifact ${key} is gone from ${bucket}: deploy again`);
      return use({ root: text, held: [] });
    },
    inspect: async ({ root }): Promise<Inspected> => {
      const { id } = JSON.parse(root) as Artifact;
      const packages = roles.map((role) => ({ role, handler: "index.handler", folder: root }));
      return {
        root,
        paths: { base: "", versioned: "_next", prefix: "" },
        packages,
        buildId: id,
        runtimeId: id,
        preview: null,
        warnings: [],
      };
    },
    uploadAssets: async (of, { root }, { deploymentId, releaseId }) => {
      const { bucket, assets, cache, releases } = placesOf(of);
      const { id, shared } = JSON.parse(root) as Artifact;
      // some have files that no other release has, and of some there are more than a row of the table takes
      const paths = ["robots.txt", ...Array.from({ length: shared === 1 ? 130 : 1 }, (_, n) => `posts/${id}-${n}.txt`)];
      const publicFiles = paths.map((path) => ({
        path,
        sha256: digest(path),
        bytes: 1,
        contentType: "text/plain",
        cacheControl: "no-cache",
      }));
      const versioned = [`_next/static/of-${id}.js`, `_next/static/shared-${shared}.js`];
      // what is there already is the release's own
      const there = await objects.present(
        bucket,
        versioned.map((path) => `${assets}/${path}`),
      );
      for (const path of versioned) if (!there.has(`${assets}/${path}`)) await objects.putNewText(bucket, `${assets}/${path}`, path);
      cloudHere().objects.write(bucket, `${cache}/${releaseId}/index.cache`, "a page");
      cloudHere().objects.write(bucket, `${cache}/__fetch/${releaseId}/0123`, "what it fetched");
      for (const path of paths) cloudHere().objects.write(bucket, `${setFolder(assets, setOf(publicFiles))}/${path}`, path);
      const manifest: Manifest = { v: 2, deploymentId, releaseId, publicFiles, versioned };
      const key = manifestKey(releases, deploymentId);
      await objects.putText(bucket, key, JSON.stringify(manifest));
      cloudHere().tagged.add(releaseId);
      const named = publicSetOf(setOf(publicFiles), paths);
      if (named === undefined) throw new Error("so many files are in no release");
      return { recorded: { uploaded: 1, unchanged: 0, bytes: 1, cacheEntries: 0, manifest: key }, ...named };
    },
    tagSeeds: async () => [],
    seedTags: async () => undefined,
    secrets: (of) => secrets.read(siteResources(of.site, of.environment).secret),
    publish: async (of, _build, { role, handler, folder }, secret, set) => {
      const text = codeOf(role, JSON.parse(folder) as Artifact);
      const code = { bucket: config.buckets.artifacts, key: `functions/${digest(text)}.zip`, sha256: hash("sha256", text, "base64") };
      await objects.putNewText(code.bucket, code.key, text);
      const cloud = cloudHere();
      if (cloud.world.faults.strikes("code-replaced")) cloud.objects.write(code.bucket, code.key, `${text}, replaced`);
      const name = functionOf(of.site, of.environment, role);
      const place = { bucket: config.buckets.static, region: config.region, set };
      const { settings, name: settingsName } = settingsOf(role, handler, of, place, secret);
      cloud.settings.set(settingsName, textOf(settings));
      const { version, codeSha256 } = await publishFunction({ functions, clock: virtualClock }, name, code, settings, of.architecture);
      return { role, name, version, codeSha256, settings: settingsName };
    },
    invoke: functions.invoke,
    hasAsset: async () => true,
    addresses,
    edgeTable,
    clock: virtualClock,
    progress: () => () => undefined,
    now: virtualClock.now,
  });
};
