import type { Objects } from "../aws/objects.ts";
import { each } from "../kit/each.ts";
import { contentKey, Manifest } from "../kit/manifest.ts";

type Places = { readonly bucket: string; readonly assets: string; readonly publicFiles: string };

/** Files that a release needs are gone: it cannot go live again. */
export class FilesGone extends Error {
  override readonly name = "FilesGone";
}

const WIDTH = 32;
/** Files between two looks whether the flip still stands: an overtaken one writes no more than these. */
const BATCH = 50;

/** Asked before each batch of files; `false`: these files are not wanted any more. */
export type Proceed = () => Promise<boolean>;

/** The public files of a release, put under the paths that visitors ask for. Their content was uploaded when it was published. */
export const publicFiles = (objects: Pick<Objects, "fingerprint" | "copy" | "getText" | "remove">) => {
  const read = async ({ bucket }: Places, key: string): Promise<Manifest> => {
    const text = await objects.getText(bucket, key);
    if (text === undefined)
      throw new FilesGone(`its manifest ${key} is gone from ${bucket}: it was swept or deleted, and cannot go live again`);
    return Manifest.parse(JSON.parse(text));
  };

  /** Whether it had to be written. */
  const putOne = async (places: Places, { path, sha256, contentType, cacheControl }: Manifest["publicFiles"][number]): Promise<boolean> => {
    const key = `${places.assets}/${path}`;
    if ((await objects.fingerprint(places.bucket, key)) === sha256) return false;
    const content = contentKey(places.publicFiles, sha256);
    if ((await objects.fingerprint(places.bucket, content)) === undefined)
      throw new FilesGone(`the content of /${path} (${content}) is gone from ${places.bucket}`);
    await objects.copy(places.bucket, content, key, sha256, { contentType, cacheControl });
    return true;
  };

  return {
    /** Puts every public file that is not there as it should be. Answers the paths that it wrote, and whether it came to the end. Throws `FilesGone`. */
    put: async (places: Places, manifest: string, proceed: Proceed): Promise<{ isWhole: boolean; written: readonly string[] }> => {
      const { publicFiles: files } = await read(places, manifest);
      const written: string[] = [];
      for (let from = 0; from < files.length; from += BATCH) {
        if (!(await proceed())) return { isWhole: false, written };
        await each(files.slice(from, from + BATCH), WIDTH, async (file) => {
          if (await putOne(places, file)) written.push(file.path);
        });
      }
      return { isWhole: await proceed(), written };
    },
    /** Makes these paths what a release has there: its file, or none. */
    putRight: async (places: Places, manifest: string, paths: readonly string[], proceed: Proceed): Promise<boolean> => {
      const { publicFiles: files } = await read(places, manifest);
      const byPath = new Map(files.map((file) => [file.path, file]));
      for (let from = 0; from < paths.length; from += BATCH) {
        if (!(await proceed())) return false;
        const batch = paths.slice(from, from + BATCH);
        await each(
          batch.flatMap((path) => byPath.get(path) ?? []),
          WIDTH,
          async (file) => void (await putOne(places, file)),
        );
        await objects.remove(
          places.bucket,
          batch.filter((path) => !byPath.has(path)).map((path) => `${places.assets}/${path}`),
        );
      }
      return true;
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
