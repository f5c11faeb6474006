import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { MAX_ROWS, publicSetOf } from "../../blueprint/edge-table.ts";
import type { PublicSet } from "../../domain/environment/route.ts";
import type { Objects, Serving } from "../aws/objects.ts";
import { each } from "../kit/each.ts";
import { inRelease, isVersioned, placesOf } from "./asset-paths.ts";
import { type Content, filesBelow, readContent } from "./files.ts";
import type { Inspected } from "./inspect.ts";
import { type Manifest, manifestKey, type PublicFile, setFolder, setOf } from "./manifest.ts";
import { OutputRefused } from "./output.ts";
import { liveFiles } from "./public-set.ts";

/** Where the files of one environment go in the static bucket. */
export type Locations = {
  readonly bucket: string;
  readonly assets: string;
  readonly cache: string;
  readonly releases: string;
};

/** What was uploaded, as it is recorded, and how the edge's table names the release's public files. */
export type AssetsOutcome = {
  readonly recorded: { uploaded: number; unchanged: number; bytes: number; cacheEntries: number; manifest: string };
  readonly files: PublicSet;
  /** texts of the table's rows of its paths */
  readonly rows: readonly string[];
};
export type Report = (step: string, done: number, total: number) => void;

const IMMUTABLE = "public,max-age=31536000,immutable";
const REVALIDATED = "public,max-age=0,s-maxage=86400,stale-while-revalidate=86400";
/** `from`: key of an object with the same content, if it is still there. */
type Upload = { readonly file: string; readonly serving: Serving; readonly from?: string | undefined };

/** Requests to S3 at a time: well below what one prefix takes, and enough to hide its latency. */
const WIDTH = 16;

/**
 * Uploads what a release needs before it can go live, and nothing that visitors of the live one could notice:
 * `_next/**` under its own names (never overwritten, never deleted), public files in the folder of their set, the cache once.
 * Where they are asked for is as the output says: below a basePath. What of a new set another object has is copied within S3.
 *
 * @param live key of the manifest of what is live, where anything is
 * @throws OutputRefused where there are more public files than the edge's table takes
 */
export const uploadAssets = async (
  objects: Pick<Objects, "copy" | "getText" | "present" | "putNew" | "putText">,
  locations: Locations,
  build: Inspected,
  { deploymentId, releaseId, live }: { deploymentId: string; releaseId: string; live?: string | undefined },
  report: Report,
): Promise<AssetsOutcome> => {
  const { root, buildId, runtimeId } = build;
  const known = await liveFiles(objects, locations, live);
  const { uploads, publicFiles, set, versioned } = await readAssets(locations, build, releaseId, known);
  const named = publicSetOf(
    set,
    publicFiles.map(({ path }) => path),
  );
  if (named === undefined)
    throw new OutputRefused(
      `the build has ${publicFiles.length} public files, and ${MAX_ROWS} rows of the edge's table do not take their paths: serve most of them from a bucket or a site of their own`,
    );
  const cache = await Array.fromAsync(filesBelow(join(root, "cache")));
  let done = 0;
  const step = (): void => report("assets", ++done, uploads.size + cache.length);

  const recorded = { uploaded: 0, unchanged: 0, bytes: 0, cacheEntries: 0, manifest: manifestKey(locations.releases, deploymentId) };
  const there = await objects.present(locations.bucket, [...uploads.keys()]);
  const put = async ([key, upload]: [string, Upload]): Promise<void> => {
    const content = there.has(key) ? undefined : await putUnlessCopied(objects, locations.bucket, key, upload);
    if (content === undefined) recorded.unchanged += 1;
    else {
      recorded.uploaded += 1;
      recorded.bytes += content.bytes;
    }
    step();
  };
  const isCopy = ([, { from }]: [string, Upload]): boolean => from !== undefined;
  const all = [...uploads];
  await each(
    all.filter((one) => !isCopy(one)),
    WIDTH,
    put,
  );
  // pictures are copied from where they were put just now
  await each(all.filter(isCopy), WIDTH, put);
  await each(cache, WIDTH, async (path) => {
    // the age of a page is the time of its upload: an entry that exists is newer, and stays
    const file = join(root, "cache", path);
    const { source, sha256 } = await readContent(file);
    if (await objects.putNew(locations.bucket, `${locations.cache}/${rewritten(path, buildId, runtimeId)}`, source, sha256))
      recorded.cacheEntries += 1;
    step();
  });
  const manifest: Manifest = { v: 2, deploymentId, releaseId, publicFiles, versioned, runtimeId };
  await objects.putText(locations.bucket, recorded.manifest, JSON.stringify(manifest));
  return { recorded, ...named };
};

type Assets = {
  readonly uploads: ReadonlyMap<string, Upload>;
  readonly publicFiles: PublicFile[];
  readonly set: string;
  readonly versioned: string[];
};

/** Answers what was put: `undefined` where the content was copied, or is there. */
const putUnlessCopied = async (
  objects: Pick<Objects, "copy" | "putNew">,
  bucket: string,
  key: string,
  { file, serving, from }: Upload,
): Promise<Content | undefined> => {
  const content = await readContent(file);
  const { source, sha256 } = content;
  if (from !== undefined && (await objects.copy(bucket, from, key, sha256, serving))) return undefined;
  return (await objects.putNew(bucket, key, source, sha256, serving)) ? content : undefined;
};

/**
 * What is uploaded, by key, and the public files, by path.
 *
 * @param known keys of files by their contents
 */
const readAssets = async (
  locations: Locations,
  { root, paths, buildId }: Inspected,
  releaseId: string,
  known: ReadonlyMap<string, string>,
): Promise<Assets> => {
  // a tenth of the function's bundle: a cold start does not wait for it
  const { default: mime } = await import("mime-types");
  const uploads = new Map<string, Upload>();
  const publicFiles: PublicFile[] = [];
  const versioned: string[] = [];
  /** by the path in their set's folder */
  const inSet = new Map<string, Upload>();
  await each(await Array.fromAsync(filesBelow(join(root, "assets"))), WIDTH, async (path) => {
    if (path === BUILD_ID) return;
    const file = join(root, "assets", path);
    const contentType = mime.contentType(path.slice(path.lastIndexOf("/") + 1)) || "application/octet-stream";
    const places = placesOf(paths, path);
    if (isVersioned(paths, path)) {
      const upload = { file, serving: { contentType, cacheControl: IMMUTABLE } };
      for (const place of places) {
        const named = inRelease(place, buildId, releaseId);
        const key = `${locations.assets}/${named}`;
        uploads.set(key, upload);
        versioned.push(named);
        // the image function looks for all pictures below one folder
        if (contentType.startsWith("image/")) inSet.set(place, { ...upload, from: key });
      }
    } else {
      const serving = { contentType, cacheControl: REVALIDATED };
      const { bytes, sha256 } = await readContent(file);
      for (const place of places) {
        publicFiles.push({ path: place, sha256, bytes, ...serving });
        inSet.set(place, { file, serving, from: known.get(sha256) });
      }
    }
  });
  publicFiles.sort((a, b) => (a.path < b.path ? -1 : 1));
  const set = setOf(publicFiles);
  for (const [place, upload] of inSet) uploads.set(`${setFolder(locations.assets, set)}/${place}`, upload);
  return { uploads, publicFiles, set, versioned: versioned.sort() };
};

/** Lies among OpenNext's assets, and is for no visitor. */
const BUILD_ID = "BUILD_ID";

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
