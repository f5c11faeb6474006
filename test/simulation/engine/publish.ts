import { hash } from "node:crypto";
import type { SiteConfig } from "../../../blueprint/engine-config.ts";
import { functionOf, siteResources } from "../../../blueprint/site-resources.ts";
import type { FunctionRole } from "../../../domain/deployment/shapes.ts";
import type { Functions, Settings } from "../../../engine/aws/functions.ts";
import type { Objects } from "../../../engine/aws/objects.ts";
import type { Aggregates } from "../../../engine/log/execute.ts";
import type { Inspected } from "../../../engine/open-next/inspect.ts";
import { contentKey, type Manifest, manifestKey } from "../../../engine/open-next/manifest.ts";
import { OutputRefused } from "../../../engine/open-next/output.ts";
import { settingsOf } from "../../../engine/open-next/settings.ts";
import { publishFunction } from "../../../services/publish-release/publish-function.ts";
import { publishRelease } from "../../../services/publish-release/publish-release.ts";
import { virtualClock } from "../world/clock.ts";
import { cloudHere } from "./clouds.ts";
import { config } from "./config.ts";

type Parts = {
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
export const publishWiring = ({ aggregates, functions, objects, secrets, site }: Parts) => {
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
        behaviors: [],
        paths: { base: "", versioned: "_next", prefix: "" },
        packages,
        buildId: id,
        runtimeId: id,
        warnings: [],
      };
    },
    uploadAssets: async (of, { root }, { deploymentId, releaseId }) => {
      const { bucket, releases, publicFiles } = placesOf(of);
      const { id, shared } = JSON.parse(root) as Artifact;
      // some have a path that no other release has
      const own = shared === 1 ? [[`posts/${id}.txt`, `a post of ${id}`] as const] : [];
      const files = [["robots.txt", "the same in every release"] as const, ["about.txt", `about ${id}`] as const, ...own];
      const { objects: bare, world } = cloudHere();
      const pages = Array.from(
        { length: world.theme.publicFiles ?? 0 },
        (_, page) => [`pages/${page}.txt`, `page ${page} of ${id}`] as const,
      );
      // one by one they would cost most of the steps of a world
      for (const [, text] of pages) bare.write(bucket, contentKey(publicFiles, digest(text)), text);
      let uploaded = 0;
      for (const [, text] of files) if (await objects.putNewText(bucket, contentKey(publicFiles, digest(text)), text)) uploaded += 1;
      const manifest: Manifest = {
        v: 1,
        deploymentId,
        releaseId,
        behaviors: [],
        publicFiles: [...files, ...pages].map(([path, text]) => ({
          path,
          sha256: digest(text),
          bytes: text.length,
          contentType: "text/plain",
          cacheControl: "no-cache",
        })),
      };
      const key = manifestKey(releases, deploymentId);
      await objects.putText(bucket, key, JSON.stringify(manifest));
      return { uploaded, unchanged: files.length - uploaded, bytes: 1, cacheEntries: 0, manifest: key };
    },
    tagSeeds: async () => [],
    seedTags: async () => undefined,
    secrets: (of) => secrets.read(siteResources(of.site, of.environment).secret),
    publish: async (of, _build, { role, handler, folder }, secret) => {
      const text = codeOf(role, JSON.parse(folder) as Artifact);
      const code = { bucket: config.buckets.artifacts, key: `functions/${digest(text)}.zip`, sha256: hash("sha256", text, "base64") };
      await objects.putNewText(code.bucket, code.key, text);
      const cloud = cloudHere();
      if (cloud.world.faults.strikes("code-replaced")) cloud.objects.write(code.bucket, code.key, `${text}, replaced`);
      const name = functionOf(of.site, of.environment, role);
      const place = { bucket: config.buckets.static, region: config.region };
      const { settings, name: settingsName } = settingsOf(role, handler, of, place, secret);
      cloud.settings.set(settingsName, textOf(settings));
      const { version, codeSha256 } = await publishFunction({ functions, clock: virtualClock }, name, code, settings, of.architecture);
      return { role, name, version, codeSha256, settings: settingsName };
    },
    invoke: functions.invoke,
    hasAsset: async () => true,
    progress: () => () => undefined,
    now: virtualClock.now,
  });
};
