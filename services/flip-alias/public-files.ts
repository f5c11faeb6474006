import type { Objects } from "../../engine/aws/objects.ts";
import { each } from "../../engine/kit/each.ts";
import { contentKey, Manifest } from "../../engine/open-next/manifest.ts";

type Locations = { readonly bucket: string; readonly assets: string; readonly publicFiles: string };

/** Files that a release needs are gone: it cannot go live again. */
export class FilesMissing extends Error {
  override readonly name = "FilesMissing";
}

const WIDTH = 32;
/** Files between two looks whether the flip still stands: an overtaken one writes no more than these. */
const BATCH = 50;

/** Whether a flip may go on writing files. */
export type Writer = {
  /** asked before each batch of files; `false`: these files are not wanted any more */
  proceed(): Promise<boolean>;
  /** whether the last answer still counts, asked before each write: a process may have stood still since */
  isSure(): boolean;
};

/** Asked again where the answer took so long that it does not count any more: the process may have stood still for it. */
const mayWrite = async ({ proceed, isSure }: Writer): Promise<boolean> => isSure() || ((await proceed()) && isSure());

/** The public files of a release, put under the paths that visitors ask for. Their content was uploaded when it was published. */
export const publicFiles = (objects: Pick<Objects, "fingerprint" | "copy" | "getText" | "remove">) => {
  const read = async ({ bucket }: Locations, key: string): Promise<Manifest> => {
    const text = await objects.getText(bucket, key);
    if (text === undefined)
      throw new FilesMissing(`its manifest ${key} is gone from ${bucket}: it was swept or deleted, and cannot go live again`);
    return Manifest.parse(JSON.parse(text));
  };

  /** `false` where it was not written, since the writer has no time left. */
  const putOne = async (
    locations: Locations,
    { path, sha256, contentType, cacheControl }: Manifest["publicFiles"][number],
    writer: Writer,
  ): Promise<boolean> => {
    const key = `${locations.assets}/${path}`;
    if ((await objects.fingerprint(locations.bucket, key)) === sha256) return true;
    const content = contentKey(locations.publicFiles, sha256);
    if ((await objects.fingerprint(locations.bucket, content)) === undefined)
      throw new FilesMissing(`the content of /${path} (${content}) is gone from ${locations.bucket}`);
    if (!(await mayWrite(writer))) return false;
    await objects.copy(locations.bucket, content, key, sha256, { contentType, cacheControl });
    return true;
  };

  return {
    /** Puts every public file that is not there as it should be. Answers whether it came to the end. Throws `FilesMissing`. */
    put: async (locations: Locations, manifest: string, writer: Writer): Promise<boolean> => {
      const { publicFiles: files } = await read(locations, manifest);
      for (let from = 0; from < files.length; from += BATCH) {
        if (!(await writer.proceed())) return false;
        let isLate = false;
        await each(files.slice(from, from + BATCH), WIDTH, async (file) => {
          if (isLate || !(await putOne(locations, file, writer))) isLate = true;
        });
        if (isLate) return false;
      }
      return writer.proceed();
    },
    /**
     * Takes away the public files that only another release had; nothing where its manifest is gone. Without a manifest of
     * what stays, all that the other one had. Answers whether it came to do so.
     */
    removeOthers: async (locations: Locations, manifest: string | undefined, other: string, writer: Writer): Promise<boolean> => {
      const [now, then] = await Promise.all([
        manifest === undefined ? undefined : read(locations, manifest),
        read(locations, other).catch(unlessGone),
      ]);
      const kept = new Set(now?.publicFiles.map(({ path }) => path));
      const gone = (then?.publicFiles ?? []).filter(({ path }) => !kept.has(path) && !isOfNext(path));
      if (gone.length > 0 && !(await mayWrite(writer))) return false;
      await objects.remove(
        locations.bucket,
        gone.map(({ path }) => `${locations.assets}/${path}`),
      );
      return true;
    },
  };
};

/** Pages that are open, or on their way, ask for what Next.js made with them after another release went live. */
const isOfNext = (path: string): boolean => path.includes("_next/static/");

/** Any other fault is no reason to leave files where they are: it is tried again. */
const unlessGone = (error: unknown): undefined => {
  if (!(error instanceof FilesMissing)) throw error;
};
export type PublicFiles = ReturnType<typeof publicFiles>;
