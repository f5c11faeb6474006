import { createHash, randomUUID } from "node:crypto";
import { createWriteStream, type Dirent, type Stats } from "node:fs";
import { lstat, readdir, readFile, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { type PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { ArchiveRefused, checkLinks, checkName, isProgramLink } from "./archive-rules.ts";

/** One file or link of an archive; `path` is relative to the folder that was packed. */
export type ZippedEntry = { readonly path: string; readonly executable: boolean; readonly link: boolean };

export type Zipped = {
  readonly sha256Base64: string;
  readonly sha256Hex: string;
  readonly bytes: number;
  readonly files: number;
  /** sorted by path */
  readonly entries: readonly ZippedEntry[];
  /** links to programs (`node_modules/.bin/`) that lead nowhere, or out of the folder: left out */
  readonly strayPrograms: readonly string[];
};

export type ZipOptions = {
  /** Called with the path relative to the folder, "/" between names; a folder that is left out is not looked into. */
  readonly include?: (path: string, directory: boolean) => boolean | Promise<boolean>;
  /**
   * "keep" stores links as links, absolute ones that stay inside as relative ones, and refuses those that leave the folder;
   * "follow" stores what they point to. Default "keep".
   */
  readonly symlinks?: "keep" | "follow";
};

/**
 * Writes a zip of a folder whose bytes depend on names, contents, links and the executable bit alone:
 * names sorted, all dated 1980-01-01, modes 0644 or 0755. (Another zlib may deflate to other bytes, so compare
 * hashes made by one Node version.) Empty folders are not stored. `target` appears whole or not at all.
 */
export async function zipDirectory(dir: string, target: string, options: ZipOptions = {}): Promise<Zipped> {
  const { found, strayPrograms } = await find(dir, options, resolve(target));
  const zip = new ZipFile();
  const digest = digester();
  const failed = new Promise<never>((_, reject) => zip.on("error", reject));
  await whole(target, async (partial) => {
    try {
      const written = pipeline(zip.outputStream, digest.stream, createWriteStream(partial));
      await Promise.race([failed, Promise.all([addAll(zip, found), written])]);
    } finally {
      (zip.outputStream as PassThrough).destroy();
    }
  });
  const entries = found.map(({ path, executable, link }) => ({ path, executable, link: link !== undefined }));
  return { ...digest.result(), files: found.length, entries, strayPrograms };
}

/** What a zip of the folder would hold, by path and with sizes before they are deflated. Refuses what `zipDirectory` refuses. */
export async function listDirectory(dir: string, options: ZipOptions = {}): Promise<Listed> {
  const { found, strayPrograms } = await find(dir, options);
  return { files: found.map(({ path, size }) => ({ path, size })), strayPrograms };
}

export type Listed = Pick<Zipped, "strayPrograms"> & { readonly files: readonly { readonly path: string; readonly size: number }[] };

async function find(dir: string, options: ZipOptions, target?: string): Promise<{ found: Found[]; strayPrograms: string[] }> {
  const { found, strayPrograms } = await walk(await realpath(dir), options, target);
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  checkLinks(new Map(found.flatMap(({ path, link }) => (link === undefined ? [] : [[path, link] as const]))));
  return { found, strayPrograms };
}

/** Lets a file be written beside the target, and be the target when it is whole; or leaves nothing. */
export async function whole(target: string, write: (partial: string) => Promise<void>): Promise<void> {
  const partial = `${target}.${randomUUID()}.part`;
  try {
    await write(partial);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

type Found = Omit<ZippedEntry, "link"> & { readonly real: string; readonly size: number; readonly link?: string };

async function walk(
  root: string,
  { include = () => true, symlinks = "keep" }: ZipOptions,
  target: string | undefined,
): Promise<{ found: Found[]; strayPrograms: string[] }> {
  const found: Found[] = [];
  const strayPrograms: string[] = [];
  await enter(root, "", [root]);
  return { found, strayPrograms };

  /** `above`: the real folders we are in, to notice a followed link that leads back up. */
  async function enter(folder: string, prefix: string, above: readonly string[]): Promise<void> {
    for (const item of await readdir(folder, { withFileTypes: true }).catch(unreadable(prefix.slice(0, -1)))) {
      const path = prefix + item.name;
      const real = join(folder, item.name);
      if (real === target) continue;
      if (item.isSymbolicLink() && symlinks === "keep") {
        if (!(await include(path, false))) continue;
        await checkReal(path, real);
        const link = await inside(root, real, await targetOf(path, real));
        if (isProgramLink(path) && (await isStray(root, real, link))) strayPrograms.push(path);
        else found.push({ path, real, size: 0, executable: false, link });
        continue;
      }
      const seen = item.isSymbolicLink() ? await stat(real).catch(() => undefined) : item;
      const directory = seen?.isDirectory() ?? false;
      if (!(await include(path, directory))) continue;
      await checkReal(path, real);
      if (!seen && isProgramLink(path)) {
        strayPrograms.push(path);
        continue;
      }
      if (!seen) throw new ArchiveRefused("corrupt", path, "the symbolic link points to nothing; remove it or make its target");
      if (directory) {
        const inside = item.isSymbolicLink() ? await realpath(real) : real;
        if (above.includes(inside))
          throw new ArchiveRefused("link-loop", path, "the symbolic link leads back to a folder it is in; remove it");
        await enter(real, `${path}/`, [...above, inside]);
        continue;
      }
      const status = await stat(real).catch(unreadable(path));
      if (!status.isFile())
        throw new ArchiveRefused("special-file", path, `it is a ${kindOf(status)}: only files, folders and symbolic links can be packed`);
      found.push({ path, real, size: status.size, executable: (status.mode & 0o100) !== 0 });
    }
  }
}

/** A name may go into an archive, and is the name that the file really has: one that is not UTF-8 was read as another. */
async function checkReal(path: string, real: string): Promise<void> {
  checkName(path);
  if (real.includes("\uFFFD") && !(await lstat(real).catch(() => undefined)))
    throw new ArchiveRefused("unsafe-name", path, "the name is not UTF-8; rename the file");
}

async function targetOf(path: string, real: string): Promise<string> {
  const bytes = await readlink(real, { encoding: "buffer" }).catch(unreadable(path));
  if (!bytes.equals(Buffer.from(bytes.toString())))
    throw new ArchiveRefused("unsafe-name", path, "the link's target is not UTF-8; make it anew");
  return bytes.toString();
}

/** The target of a link as it is stored: relative, where it is an absolute path into the folder that is packed. */
async function inside(root: string, link: string, target: string): Promise<string> {
  if (!isAbsolute(target)) return target;
  const above = await realpath(dirname(target)).catch(() => dirname(target));
  const at = join(above, basename(target));
  return at.startsWith(root + sep) ? relative(dirname(link), at).split(sep).join("/") : target;
}

const isStray = async (root: string, link: string, target: string): Promise<boolean> =>
  isAbsolute(target) ||
  !resolve(dirname(link), target).startsWith(root + sep) ||
  (await stat(link).then(
    () => false,
    () => true,
  ));

const kindOf = (status: Stats | Dirent): string => {
  if (status.isSocket()) return "socket";
  if (status.isFIFO()) return "named pipe";
  return "device";
};

/** For a file or folder that we may not read, or that went away while it was packed. */
const unreadable = (path: string) => (error: unknown) => {
  const { code, message } = error as NodeJS.ErrnoException;
  throw new ArchiveRefused("unreadable", path, `it cannot be read (${code ?? message})`, { cause: error });
};

/** yazl formats a local time: this is 1980-01-01 00:00 in every time zone. */
const EPOCH = new Date(1980, 0, 1);

/** From this size on a file is streamed instead of read whole. */
const STREAM_FROM = 64 * 1024 ** 2;

async function addAll(zip: ZipFile, found: readonly Found[]): Promise<void> {
  // Read in small groups: reading and deflating share one thread pool, first come first served, so the next
  // group is read when the last one is nearly deflated, and memory stays small.
  for (let from = 0; from < found.length; from += 32) {
    const group = found.slice(from, from + 32);
    const contents = await Promise.all(group.map((file) => readContent(file)));
    group.forEach((file, index) => {
      const mode = file.link !== undefined ? 0o120777 : file.executable ? 0o100755 : 0o100644;
      const content = contents[index];
      const options = { mtime: EPOCH, forceDosTimestamp: true, mode, compressionLevel: content?.length === 0 ? 0 : LEVEL };
      if (content) zip.addBuffer(content, file.path, options);
      else zip.addFile(file.real, file.path, options);
    });
  }
  zip.end();
}

/** zlib's default: level 9 takes twice the time for 1 % less, level 1 makes the upload a fifth larger. */
const LEVEL = 6;

async function readContent({ path, link, real, size }: Found): Promise<Buffer | undefined> {
  if (link !== undefined) return Buffer.from(link);
  return size < STREAM_FROM ? readFile(real).catch(unreadable(path)) : undefined;
}

/** Passes bytes on, and says afterwards how many and with which digest. */
export function digester() {
  const hash = createHash("sha256");
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const result = () => {
    const digest = hash.digest();
    return { sha256Base64: digest.toString("base64"), sha256Hex: digest.toString("hex"), bytes };
  };
  return { stream, result };
}
