import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Objects, Serving } from "../aws/objects.ts";
import { each } from "../kit/each.ts";
import { isVersioned, placesOf } from "./asset-paths.ts";
import { filesBelow, readContent } from "./files.ts";
import type { Inspected } from "./inspect.ts";
import { contentKey, type Manifest, manifestKey, type PublicFile } from "./manifest.ts";
import { OutputRefused } from "./output.ts";

/** Where the files of one environment go in the static bucket. */
export type Locations = {
  readonly bucket: string;
  readonly assets: string;
  readonly cache: string;
  readonly releases: string;
  readonly publicFiles: string;
};

export type AssetsOutcome = { uploaded: number; unchanged: number; bytes: number; cacheEntries: number; manifest: string };
export type Report = (step: string, done: number, total: number) => void;

const IMMUTABLE = "public,max-age=31536000,immutable";
const REVALIDATED = "public,max-age=0,s-maxage=86400,stale-while-revalidate=86400";
type Upload = { readonly file: string; readonly serving: Serving };

/** Requests to S3 at a time: well below what one prefix takes, and enough to hide its latency. */
const WIDTH = 16;

/**
 * Uploads what a release needs before it can go live, and nothing that visitors of the live one could notice:
 * `_next/**` under its own names (never overwritten, never deleted), by content what has a name that other releases use too,
 * the cache once. Where they are asked for is as the output says: below a basePath.
 */
export const uploadAssets = async (
  objects: Pick<Objects, "present" | "putNew" | "putText">,
  locations: Locations,
  build: Inspected,
  { deploymentId, releaseId }: { deploymentId: string; releaseId: string },
  report: Report,
): Promise<AssetsOutcome> => {
  const { root, behaviors, buildId, runtimeId } = build;
  const { uploads, publicFiles } = await readAssets(locations, build, releaseId);
  const cache = await Array.fromAsync(filesBelow(join(root, "cache")));
  let done = 0;
  const step = (): void => report("assets", ++done, uploads.size + cache.length);

  const outcome = { uploaded: 0, unchanged: 0, bytes: 0, cacheEntries: 0, manifest: manifestKey(locations.releases, deploymentId) };
  const there = await objects.present(locations.bucket, [...uploads.keys()]);
  await each([...uploads], WIDTH, async ([key, { file, serving }]) => {
    const content = there.has(key) ? undefined : await readContent(file);
    if (content !== undefined && (await objects.putNew(locations.bucket, key, content.source, content.sha256, serving))) {
      outcome.uploaded += 1;
      outcome.bytes += content.bytes;
    } else outcome.unchanged += 1;
    step();
  });
  await each(cache, WIDTH, async (path) => {
    // the age of a page is the time of its upload: an entry that exists is newer, and stays
    const file = join(root, "cache", path);
    const { source, sha256 } = await readContent(file);
    if (await objects.putNew(locations.bucket, `${locations.cache}/${rewritten(path, buildId, runtimeId)}`, source, sha256))
      outcome.cacheEntries += 1;
    step();
  });
  const manifest: Manifest = { v: 1, deploymentId, releaseId, behaviors: [...behaviors], publicFiles };
  await objects.putText(locations.bucket, outcome.manifest, JSON.stringify(manifest));
  return outcome;
};

/** What is uploaded, by key (files of the same content are one object), and the public files, by path. */
const readAssets = async (
  locations: Locations,
  { root, paths, buildId }: Inspected,
  releaseId: string,
): Promise<{ uploads: ReadonlyMap<string, Upload>; publicFiles: PublicFile[] }> => {
  // a tenth of the function's bundle: a cold start does not wait for it
  const { default: mime } = await import("mime-types");
  const uploads = new Map<string, Upload>();
  const publicFiles: PublicFile[] = [];
  await each(await Array.fromAsync(filesBelow(join(root, "assets"))), WIDTH, async (path) => {
    const file = join(root, "assets", path);
    const contentType = mime.contentType(path.slice(path.lastIndexOf("/") + 1)) || "application/octet-stream";
    const places = placesOf(paths, path);
    if (isVersioned(paths, path) && !isSharedName(path, buildId, releaseId)) {
      const serving = { contentType, cacheControl: IMMUTABLE };
      for (const place of places) uploads.set(`${locations.assets}/${place}`, { file, serving });
    } else {
      const serving = { contentType, cacheControl: REVALIDATED };
      const { bytes, sha256 } = await readContent(file);
      for (const place of places) publicFiles.push({ path: place, sha256, bytes, ...serving });
      uploads.set(contentKey(locations.publicFiles, sha256), { file, serving });
    }
  });
  publicFiles.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { uploads, publicFiles };
};

/**
 * Next.js' manifests are named after the build's id. Where that is not this release's own (it is one constant since Next.js
 * 16.2), other releases have files of the same name: they are put at each flip like public files, with what is live then.
 */
const isSharedName = (path: string, buildId: string, releaseId: string): boolean =>
  buildId !== releaseId && path.includes(`_next/static/${buildId}/`);

/** The running app asks only for its deploymentId: entries under another build id would never be found. */
const rewritten = (path: string, buildId: string, runtimeId: string): string => {
  const parts = path.split("/");
  const at = parts[0] === "__fetch" ? 1 : 0;
  if (parts[at] === buildId) parts[at] = runtimeId;
  return parts.join("/");
};

export type TagSeed = { readonly tag: string; readonly path: string; readonly revalidatedAt: string };

const Seeds = z.array(
  z.object({ tag: z.object({ S: z.string() }), path: z.object({ S: z.string() }), revalidatedAt: z.object({ N: z.string() }) }),
);

/**
 * The tag table's first rows, as OpenNext left them; the build id in them becomes the id that the running app asks for.
 * Throws `OutputRefused`.
 */
export const readTagSeeds = async ({ root, buildId, runtimeId }: Inspected): Promise<TagSeed[]> => {
  const text = await readFile(join(root, "dynamodb-provider/dynamodb-cache.json"), "utf8").catch(() => "[]");
  const own = (value: string): string => (value.startsWith(`${buildId}/`) ? runtimeId + value.slice(buildId.length) : value);
  return seedsOf(text).map(({ tag, path, revalidatedAt }) => ({ tag: own(tag.S), path: own(path.S), revalidatedAt: revalidatedAt.N }));
};

const seedsOf = (text: string): z.infer<typeof Seeds> => {
  try {
    return Seeds.parse(JSON.parse(text));
  } catch (error) {
    throw new OutputRefused("dynamodb-cache.json is not a list of tags: the build was cut short, or is not of @opennextjs/aws 4.x", {
      cause: error,
    });
  }
};
