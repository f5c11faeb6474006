import type { Objects } from "../aws/objects.ts";
import { each } from "../kit/each.ts";
import { contentKey, Manifest } from "../kit/manifest.ts";

type Places = { readonly bucket: string; readonly assets: string; readonly publicFiles: string };

/** Files that a release needs are gone: it cannot go live again. */
export class FilesGone extends Error {
  override readonly name = "FilesGone";
}

const WIDTH = 32;

/** The public files of a release, put under the paths that visitors ask for. Their content was uploaded when it was published. */
export const publicFiles = (objects: Pick<Objects, "fingerprint" | "copy" | "getText" | "remove">) => {
  const read = async ({ bucket }: Places, key: string): Promise<Manifest> => {
    const text = await objects.getText(bucket, key);
    if (text === undefined)
      throw new FilesGone(`its manifest ${key} is gone from ${bucket}: it was swept or deleted, and cannot go live again`);
    return Manifest.parse(JSON.parse(text));
  };

  return {
    /** Puts every public file that is not there as it should be. Throws `FilesGone`. */
    put: async (places: Places, manifest: string): Promise<void> => {
      const { publicFiles: files } = await read(places, manifest);
      await each(files, WIDTH, async ({ path, sha256, contentType, cacheControl }) => {
        const key = `${places.assets}/${path}`;
        if ((await objects.fingerprint(places.bucket, key)) === sha256) return;
        const content = contentKey(places.publicFiles, sha256);
        if ((await objects.fingerprint(places.bucket, content)) === undefined)
          throw new FilesGone(`the content of /${path} (${content}) is gone from ${places.bucket}`);
        await objects.copy(places.bucket, content, key, sha256, { contentType, cacheControl });
      });
    },
    /** Takes away the public files that only the release before had. */
    removeOthers: async (places: Places, manifest: string, before: string): Promise<void> => {
      const [now, then] = await Promise.all([read(places, manifest), read(places, before).catch(() => undefined)]);
      const kept = new Set(now.publicFiles.map(({ path }) => path));
      const gone = (then?.publicFiles ?? []).filter(({ path }) => !kept.has(path));
      await objects.remove(
        places.bucket,
        gone.map(({ path }) => `${places.assets}/${path}`),
      );
    },
  };
};
export type PublicFiles = ReturnType<typeof publicFiles>;
