import { createWriteStream } from "node:fs";
import { chmod, mkdir, realpath, symlink } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import yauzl from "yauzl";
import { invalid } from "./refusals.ts";

/** Bytes that a bundle may have when unzipped: 250 MB, as Lambda has it. */
export const UNZIPPED_LIMIT = 262_144_000;

const AT_ONCE = 8;

/**
 * Unzips into `folder`, keeping file modes and the symbolic links that stay inside.
 * Refuses (400) what is not a zip, is larger than Lambda takes, or names a place outside the folder.
 */
export const unzip = async (zip: Buffer, folder: string): Promise<void> => {
  try {
    const links = await writeFiles(zip, folder);
    await makeLinks(links, folder);
  } catch (cause) {
    if (cause instanceof Error && cause.name === "AwsError") throw cause;
    throw Object.assign(invalid("Could not unzip uploaded file. Please check your file, then try to upload again."), { cause });
  }
};

type Link = { readonly path: string; readonly target: string };

/** Links come last, so that no file is ever written through one. */
const writeFiles = async (zip: Buffer, folder: string): Promise<Link[]> => {
  // yauzl itself refuses absolute names and `..`, and a size that is not the one the entry states.
  const archive = await yauzl.fromBufferPromise(zip, { autoClose: false });
  const entries: yauzl.Entry[] = [];
  let unzipped = 0;
  for await (const entry of archive.eachEntry()) {
    unzipped += entry.uncompressedSize;
    if (unzipped > UNZIPPED_LIMIT) throw invalid(`Unzipped size must be smaller than ${UNZIPPED_LIMIT} bytes`);
    entries.push(entry);
  }
  if (entries.length === 0) throw invalid("Uploaded file must be a non-empty zip");
  await mkdir(folder, { recursive: true });
  const links: Link[] = [];
  const rest = entries.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const entry of rest) {
        const link = await writeEntry(archive, entry, folder);
        if (link) links.push(link);
      }
    }),
  );
  return links;
};

const FILE_TYPE = 0o170000;
const SYMBOLIC_LINK = 0o120000;

const writeEntry = async (archive: yauzl.ZipFile, entry: yauzl.Entry, folder: string): Promise<Link | undefined> => {
  const path = join(folder, entry.fileName);
  const mode = entry.externalFileAttributes >>> 16;
  if (entry.fileName.endsWith("/")) {
    await mkdir(path, { recursive: true });
    return undefined;
  }
  await mkdir(dirname(path), { recursive: true });
  const content = await archive.openReadStreamPromise(entry);
  if ((mode & FILE_TYPE) === SYMBOLIC_LINK) return { path, target: (await buffer(content)).toString() };
  await pipeline(content, createWriteStream(path, { flags: "wx" }));
  await chmod(path, (mode & 0o777 || 0o644) | 0o400);
  return undefined;
};

const makeLinks = async (links: readonly Link[], folder: string): Promise<void> => {
  const root = await realpath(folder);
  for (const { path, target } of links) {
    if (isAbsolute(target) || !inside(folder, resolve(dirname(path), target))) throw leaves(path, folder);
    await symlink(target, path);
  }
  // Links through other links can still lead out, and only the file system knows. A link to nothing is kept.
  for (const { path } of links) {
    const real = await realpath(path).catch(() => undefined);
    if (real && !inside(root, real)) throw leaves(path, folder);
  }
};

const inside = (root: string, path: string): boolean => path === root || path.startsWith(root + sep);

const leaves = (path: string, folder: string) =>
  invalid(`The symbolic link ${relative(folder, path)} leads out of the bundle. Make the zip without it.`);
