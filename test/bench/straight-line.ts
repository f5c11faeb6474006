import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { siteResources } from "../../blueprint/sites.ts";
import type { PublishedFunction } from "../../domain/deployment/shapes.ts";
import { describe, readFence } from "../../domain/environment/fence.ts";
import { readTagSeeds, uploadAssets } from "../../engine/open-next/assets.ts";
import { inspect, type Package } from "../../engine/open-next/inspect.ts";
import { judge, probeOf } from "../../engine/open-next/probe.ts";
import { settingsOf } from "../../engine/open-next/settings.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { unzipInto, zipDirectory } from "../../engine/zip/archive.ts";
import { publicFiles } from "../../services/flip-alias/public-files.ts";
import { publishFunction } from "../../services/publish-release/publish-function.ts";

const ORDER = ["revalidation", "image", "server"] as const;
const SURE = 2;

export type LiveByScript = { readonly ms: number; readonly functions: readonly PublishedFunction[]; readonly manifest: string };

/** Nobody else writes meanwhile. */
const alone = { proceed: async () => true, isSure: () => true };

/**
 * What a deploy script would do with a finished build: the same AWS calls as the engine, in the same order and as many
 * at once, with the engine's own library pieces and without one event. The clock stops when the aliases were read back;
 * the engine's stops when that is recorded.
 */
export const deployStraight = async (
  { config, clock, objects, tags, secrets, functions, cdn, site: siteNamed }: Engine,
  place: { site: string; environment: string },
  artifact: { bucket: string; key: string },
  { sequence, deploymentId, before }: { sequence: number; deploymentId: string; before: string | undefined },
): Promise<LiveByScript> => {
  const site = siteNamed(place.site, place.environment);
  if (site === undefined) throw new Error(`${place.site}/${place.environment} is not declared`);
  const names = siteResources(site.site, site.environment);
  const places = { bucket: config.buckets.static, ...names };
  const files = publicFiles(objects);
  const began = performance.now();

  const { release, manifest } = await inFolder(async (scratch) => {
    const zip = join(scratch, "output.zip");
    const root = join(scratch, "output");
    await objects.download(artifact.bucket, artifact.key, zip);
    await unzipInto(zip, root);
    const build = await inspect(root, deploymentId, site.architecture);
    const { manifest } = await uploadAssets(objects, places, build, { deploymentId, releaseId: deploymentId }, () => undefined);
    await tags.seed(names.tagTable, await readTagSeeds(build));
    return { release: await Promise.all(build.packages.map(publish)), manifest };
  });
  await Promise.all(release.map(({ role, name, version }) => probe(role, name, version)));
  await Promise.all([...release.map(({ role, name, version }) => probe(role, name, version)), files.put(places, manifest, alone)]);
  for (const role of ORDER) {
    const target = release.find((published) => published.role === role);
    if (target !== undefined) await flip(target);
  }
  await Promise.all(
    release.map(async ({ role, name, version }) => {
      for (let sure = 0; sure < SURE; ) sure = (await probe(role, name, names.alias)) === version ? sure + 1 : 0;
    }),
  );
  const ms = performance.now() - began;

  // after the fact in the engine too: not in its time either
  if (before !== undefined) await files.removeOthers(places, manifest, before, alone);
  if (site.distribution !== null) await cdn.invalidate(site.distribution, `${deploymentId}-${sequence}`);
  return { ms, functions: release, manifest };

  function publish({ role, handler, folder }: Package): Promise<PublishedFunction> {
    return inFolder(async (scratch) => {
      const zip = join(scratch, "code.zip");
      const { sha256Hex, sha256Base64 } = await zipDirectory(folder, zip);
      const code = { bucket: config.buckets.artifacts, key: `functions/${sha256Hex}.zip`, sha256: sha256Base64 };
      await objects.putNew(code.bucket, code.key, zip, sha256Hex);
      const secret = await secrets.read(names.secret);
      const own = { bucket: config.buckets.static, region: config.region };
      const { settings, name: settingsName } = settingsOf(role, handler, site as NonNullable<typeof site>, own, secret);
      const name = names.functions[role];
      const { version, codeSha256 } = await publishFunction({ functions, clock }, name, code, settings, site?.architecture ?? "x86_64");
      return { role, name, version, codeSha256, settings: settingsName };
    });
  }

  /** The version that really answered. */
  async function probe(role: PublishedFunction["role"], name: string, qualifier: string): Promise<string> {
    const answer = await functions.invoke(name, qualifier, probeOf(role, site?.host ?? "", site?.checkPath ?? "/", clock.now()).payload);
    const { fault } = judge(role, answer);
    if (fault !== undefined) throw new Error(`${name}:${qualifier} does not work: ${fault}`);
    return answer.version;
  }

  async function flip({ name, version }: PublishedFunction): Promise<void> {
    const state = await functions.alias(name, names.alias);
    if (state === undefined || (readFence(state.description)?.sequence ?? sequence) >= sequence)
      throw new Error(`${name} was moved meanwhile`);
    await functions.moveAlias(name, names.alias, { version, description: describe({ sequence, deploymentId }) }, state.revisionId);
  }
};

const inFolder = async <T>(use: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-script-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
