import { publicSetOf } from "../../blueprint/edge-table.ts";
import type { PublicSet } from "../../domain/environment/route.ts";
import type { Objects } from "../aws/objects.ts";
import { each } from "../kit/each.ts";
import { inRelease } from "./asset-paths.ts";
import { contentKey, Manifest, manifestIn, type PublicFile, setFolder, setOf } from "./manifest.ts";

type Locations = { readonly bucket: string; readonly assets: string; readonly publicFiles: string };

/** Files that a release needs are gone: it cannot go live again. */
export class FilesMissing extends Error {
  override readonly name = "FilesMissing";
}

const WIDTH = 32;

/**
 * Keys of the public files of what is live, by their contents: what a new set shares with it need not be uploaded. Whether they
 * are still there is for who copies them to see. Where the manifest is missing or of a newer engine, none are known.
 *
 * @param manifest its key
 */
export const liveFiles = async (
  objects: Pick<Objects, "getText">,
  { bucket, assets }: Pick<Locations, "bucket" | "assets">,
  manifest: string | undefined,
): Promise<ReadonlyMap<string, string>> => {
  const text = manifest && (await objects.getText(bucket, manifest));
  const { publicFiles } = (text && manifestIn(text)) || { publicFiles: [] };
  const folder = setFolder(assets, setOf(publicFiles));
  return new Map(publicFiles.map(({ path, sha256 }) => [sha256, `${folder}/${path}`]));
};

/** Where a file lies: in its set. A build's manifest, which an older engine put like a public file, also where the edge looks for it. */
const keysOf = (assets: string, { v, releaseId }: Manifest, set: string, { path }: PublicFile): string[] => {
  const key = `${setFolder(assets, set)}/${path}`;
  const ofBuild = v === 1 ? inRelease(path, undefined, releaseId) : path;
  return ofBuild === path ? [key] : [key, `${assets}/${ofBuild}`];
};

/** The public files of a release, by its manifest, for who brings it live. */
export const publicSets = (objects: Pick<Objects, "copy" | "getText" | "present">) => {
  const read = async ({ bucket }: Pick<Locations, "bucket">, key: string): Promise<Manifest> => {
    const text = await objects.getText(bucket, key);
    if (text === undefined)
      throw new FilesMissing(`its manifest ${key} is gone from ${bucket}: it was swept or deleted, and cannot go live again`);
    return Manifest.parse(JSON.parse(text));
  };

  /**
   * What is missing in the folder of a set. A release of an engine that put public files with each flip has no such folder, but the
   * contents: it is made. What any other lacks is gone.
   */
  const complete = async ({ bucket, assets, publicFiles: contents }: Locations, manifest: Manifest, set: string) => {
    const wanted = manifest.publicFiles.flatMap((file) => keysOf(assets, manifest, set, file).map((key) => ({ ...file, key })));
    const there = await objects.present(
      bucket,
      wanted.map(({ key }) => key),
    );
    const missing = wanted.filter(({ key }) => !there.has(key));
    await each(missing, WIDTH, async ({ key, path, sha256, contentType, cacheControl }) => {
      const isOlder = manifest.v === 1;
      const content = isOlder ? contentKey(contents, sha256) : key;
      if (!isOlder || !(await objects.copy(bucket, content, key, sha256, { contentType, cacheControl })))
        throw new FilesMissing(`the content of /${path} (${content}) is gone from ${bucket}: deploy its commit again`);
    });
  };

  const named = (key: string, { publicFiles }: Manifest): { files: PublicSet; rows: readonly string[] } => {
    const set = publicSetOf(
      setOf(publicFiles),
      publicFiles.map(({ path }) => path),
    );
    if (set === undefined)
      throw new FilesMissing(`its manifest ${key} names ${publicFiles.length} public files, more than the edge's table takes`);
    return set;
  };

  return {
    /** The set with its rows for the edge's table. @throws FilesMissing */
    of: async (locations: Locations, manifest: string): Promise<{ files: PublicSet; rows: readonly string[] }> => {
      const found = await read(locations, manifest);
      await complete(locations, found, setOf(found.publicFiles));
      return named(manifest, found);
    },

    /** The set with its rows, whether or not its files are there. @throws FilesMissing */
    named: async (locations: Pick<Locations, "bucket">, manifest: string): Promise<{ files: PublicSet; rows: readonly string[] }> =>
      named(manifest, await read(locations, manifest)),
  };
};
