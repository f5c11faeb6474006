import { createWriteStream } from "node:fs";
import { mkdir, readdir, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { crc32, inflateRaw, inflateRawSync } from "node:zlib";
import yauzl, { type Entry, type ZipFile } from "yauzl";
import { ArchiveRefused, checkLinks, checkName, withoutStrayPrograms } from "./archive-rules.ts";
import { FileReader } from "./file-reader.ts";

export type UnzipLimits = {
  /** Entries, folders counted too. Default 50,000. */
  readonly maxFiles?: number;
  /** Unpacked bytes in all, counted as they come and not as the header claims. Default 1 GiB. */
  readonly maxBytes?: number;
  /** Unpacked bytes to bytes of the archive, looked at from 10 MiB unpacked. Default 200: OpenNext output is about 5. */
  readonly maxRatio?: number;
  /** Which files and links are written; every entry is checked. Default all. */
  readonly only?: (path: string) => boolean;
};

/** What an archive holds, folders left out. */
export type Held = { readonly path: string; readonly bytes: number };

/**
 * Unpacks a zip into a folder that is empty or does not exist yet. Files get mode 0644, or 0755 where their owner may execute them.
 *
 * Everything the central directory can show is checked before the first write. Links are made last, so no file
 * can be written through one. When it throws `ArchiveRefused` the folder is empty again.
 */
export async function unzipInto(
  zipFile: string,
  dir: string,
  limits: UnzipLimits = {},
): Promise<{ files: number; bytes: number; held: readonly Held[] }> {
  const { only = () => true } = limits;
  const root = await emptyFolder(dir);
  const size = (await stat(zipFile)).size;
  const archive = await openArchive(zipFile);
  const { zip } = archive;
  try {
    const entries = await listEntries(zip, limits.maxFiles ?? 50_000);
    checkTree(entries);
    const count = byteCounter(size, limits);
    checkSizes(entries, size, count.limit);
    const links = withoutStrayPrograms(await readLinks(zip, entries, count.add));
    checkLinks(links);
    try {
      const wanted = entries.filter(({ path, kind }) => (kind === "folder" ? limits.only === undefined : only(path)));
      await writeTree(archive, root, wanted, count.add);
      const made = new Map([...links].filter(([path]) => only(path)));
      for (const [path, target] of made) await symlink(target, join(root, path));
      await checkOnDisk(root, made);
    } catch (error) {
      await emptyAgain(root);
      throw asRefusal(error);
    }
    const held = entries.flatMap(({ path, kind, entry }) => (kind === "folder" ? [] : [{ path, bytes: entry.uncompressedSize }]));
    return { files: held.filter(({ path }) => only(path)).length, bytes: count.total(), held };
  } finally {
    zip.close();
  }
}

/** One entry; `path` without the slash of a folder. */
export type Listed = {
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  readonly executable: boolean;
  readonly entry: Entry;
};

async function emptyFolder(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  if ((await readdir(dir)).length > 0) throw new ArchiveRefused("not-empty", undefined, `${dir} is not empty; unpack into a new folder`);
  return realpath(dir);
}

async function emptyAgain(root: string): Promise<void> {
  for (const name of await readdir(root)) await rm(join(root, name), { recursive: true, force: true });
}

export async function openArchive(zipFile: string): Promise<Archive> {
  const { size } = await stat(zipFile);
  const file = new FileReader(zipFile);
  try {
    // Names stay bytes: yauzl would otherwise turn backslashes into slashes before anyone could refuse them.
    const options = { autoClose: false, decodeStrings: false, validateEntrySizes: true };
    return { zip: await yauzl.fromRandomAccessReaderPromise(file, size, options), file };
  } catch (error) {
    file.close(() => undefined);
    throw asRefusal(error);
  }
}

/** What the archive says that it holds; names are checked. Throws `ArchiveRefused`. */
export async function listEntries(zip: ZipFile, maxFiles: number): Promise<Listed[]> {
  const tooMany = () => new ArchiveRefused("too-many-files", undefined, `the archive has more than ${maxFiles} entries`);
  if (zip.entryCount > maxFiles) throw tooMany();
  const entries: Listed[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.length >= maxFiles) throw tooMany();
      entries.push(listed(entry));
    }
  } catch (error) {
    throw asRefusal(error);
  }
  return entries;
}

function listed(entry: Entry): Listed {
  const name = yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
  const mode = entry.externalFileAttributes >>> 16;
  const type = mode & 0o170000;
  const path = name.endsWith("/") ? name.slice(0, -1) : name;
  checkName(path);
  if (entry.isEncrypted()) throw new ArchiveRefused("encrypted", name, "the entry is encrypted; make the archive without a password");
  if (![0, FILE, FOLDER, LINK].includes(type) || (type === LINK && name !== path))
    throw new ArchiveRefused("special-file", name, "only files, folders and symbolic links can be unpacked");
  if (!entry.canDecodeFileData())
    throw new ArchiveRefused("corrupt", name, `compression method ${entry.compressionMethod} is not supported; use deflate`);
  const kind = type === LINK ? "link" : type === FOLDER || name !== path ? "folder" : "file";
  return { path, kind, executable: (mode & 0o100) !== 0, entry };
}

const FILE = 0o100000;
const FOLDER = 0o040000;
const LINK = 0o120000;

/** One name, one entry; and only folders have something below them. */
function checkTree(entries: readonly Listed[]): void {
  const kinds = new Map<string, Listed["kind"]>();
  for (const { path, kind } of entries) {
    if (kinds.has(path)) throw new ArchiveRefused("duplicate-name", path, "the archive has this name twice");
    kinds.set(path, kind);
  }
  for (const { path } of entries) {
    for (let above = dirname(path); above !== "."; above = dirname(above)) {
      if (kinds.get(above) === "link")
        throw new ArchiveRefused("writes-through-link", path, `it would be written through the symbolic link ${JSON.stringify(above)}`);
      if (kinds.get(above) === "file")
        throw new ArchiveRefused("duplicate-name", above, "the archive has this name as a file and as a folder");
    }
  }
}

/** What the headers already admit to, so that an honest giant is refused before a byte of it is written. */
function checkSizes(entries: readonly Listed[], archiveBytes: number, limit: (total: number, entry?: string) => void): void {
  let packed = 0;
  let unpacked = 0;
  for (const { path, entry } of entries) {
    packed += entry.compressedSize;
    unpacked += entry.uncompressedSize;
    limit(unpacked, path);
  }
  if (packed > archiveBytes) throw new ArchiveRefused("ratio", undefined, "entries of the archive share their bytes, as a zip bomb's do");
}

function byteCounter(archiveBytes: number, { maxBytes = 1024 ** 3, maxRatio = 200 }: UnzipLimits) {
  let total = 0;
  const limit = (bytes: number, entry?: string) => {
    if (bytes > maxBytes) throw new ArchiveRefused("too-large", entry, `the archive unpacks to more than ${maxBytes} bytes`);
    if (bytes > RATIO_FROM && bytes > archiveBytes * maxRatio)
      throw new ArchiveRefused("ratio", entry, `the archive unpacks to more than ${maxRatio} times its size, as a zip bomb does`);
  };
  const add = (bytes: number, entry: string) => {
    total += bytes;
    limit(total, entry);
  };
  return { limit, add, total: () => total };
}

/** Below this a high ratio harms nobody and is common (a file of blanks). */
const RATIO_FROM = 10 * 1024 ** 2;

type Count = (bytes: number, entry: string) => void;

/** Path → target as written, of the links among the entries. */
export async function readLinks(zip: ZipFile, entries: readonly Listed[], count: Count): Promise<Map<string, string>> {
  const links = new Map<string, string>();
  for (const { path, kind, entry } of entries) {
    if (kind !== "link") continue;
    if (entry.uncompressedSize > 4096) throw new ArchiveRefused("corrupt", path, "the symbolic link's target is longer than 4096 bytes");
    const bytes = await buffer(checked(await contentOf(zip, entry), path, entry.crc32, count)).catch((error) => {
      throw asRefusal(error, path);
    });
    links.set(path, bytes.toString("utf8"));
  }
  return links;
}

async function writeTree(archive: Archive, root: string, entries: readonly Listed[], count: Count): Promise<void> {
  const folders = new Set(entries.map(({ path, kind }) => (kind === "folder" ? path : dirname(path))));
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  const files = entries.filter(({ kind }) => kind === "file").values();
  const stop = new AbortController();
  // Several at once: opening, inflating and closing wait for each other otherwise.
  const writers = Array.from({ length: 8 }, async () => {
    for (const { path, executable, entry } of files) {
      if (stop.signal.aborted) return;
      try {
        const options = { flag: "wx", mode: executable ? 0o755 : 0o644 };
        if (isSmall(entry)) {
          const { content } = await wholeContent(archive, path, entry);
          count(content.length, path);
          await writeFile(join(root, path), content, options);
        } else {
          const bytes = checked(await contentOf(archive.zip, entry), path, entry.crc32, count);
          await pipeline(bytes, createWriteStream(join(root, path), { flags: options.flag, mode: options.mode }), { signal: stop.signal });
        }
      } catch (error) {
        stop.abort();
        throw asRefusal(error, path);
      }
    }
  });
  const outcomes = await Promise.allSettled(writers);
  // The first to fail stopped the others: theirs are only "aborted".
  const failed = outcomes.filter((outcome) => outcome.status === "rejected").map((outcome) => outcome.reason as Error);
  const first = failed.find((error) => error.cause === undefined || (error.cause as Error).name !== "AbortError") ?? failed[0];
  if (first) throw first;
}

/** An open archive, and its file; closing `zip` closes both. */
export type Archive = { readonly zip: ZipFile; readonly file: FileReader };

/** Streams cost more than the bytes of a small entry, which is read and inflated as one piece. */
export const isSmall = ({ compressedSize, uncompressedSize }: Entry): boolean => Math.max(compressedSize, uncompressedSize) <= 8 * 2 ** 20;

/** Of most files of a build a turn of the event loop costs more than the whole work, which blocks it for less than a millisecond. */
const isTiny = ({ compressedSize, uncompressedSize }: Entry): boolean => Math.max(compressedSize, uncompressedSize) <= 64 * 2 ** 10;

/** A small entry as it is in the archive, and its content. Throws `ArchiveRefused` where that is not what its checksum says. */
export async function wholeContent({ zip, file }: Archive, path: string, entry: Entry): Promise<{ packed: Buffer; content: Buffer }> {
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  const packed = Buffer.allocUnsafe(entry.compressedSize);
  file.fill(packed, fileDataStart);
  const content = entry.compressionMethod === 0 ? packed : await inflated(packed, path, entry);
  if (content.length !== entry.uncompressedSize || crc32(content) !== entry.crc32)
    throw new ArchiveRefused("corrupt", path, "the content does not match its checksum; upload the archive again");
  return { packed, content };
}

const inflated = async (bytes: Buffer, path: string, entry: Entry): Promise<Buffer> => {
  // zlib wants room for a byte where there is none
  const options = { maxOutputLength: Math.max(1, entry.uncompressedSize) };
  try {
    return isTiny(entry) ? inflateRawSync(bytes, options) : await promisify(inflateRaw)(bytes, options);
  } catch (cause) {
    throw new ArchiveRefused("corrupt", path, `the content cannot be read (${(cause as Error).message})`, { cause });
  }
};

const contentOf = (zip: ZipFile, entry: Entry): Promise<Readable> =>
  zip.openReadStreamPromise(entry).catch((error) => {
    throw asRefusal(error, entry.fileNameRaw.toString("utf8"));
  });

/** Passes an entry's bytes on, counting them against the limits and against its checksum. */
export async function* checked(bytes: Readable, path: string, expected: number, count: Count): AsyncGenerator<Buffer> {
  let sum = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    count(chunk.length, path);
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== expected) throw new ArchiveRefused("corrupt", path, "the content does not match its checksum; upload the archive again");
}

/** The file system may see names differently from us (case, Unicode forms): ask it where each link really leads. */
async function checkOnDisk(root: string, links: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, target] of links) {
    const real = await realpath(join(root, path)).catch(() => undefined); // dangling links lead nowhere
    if (real !== undefined && real !== root && !real.startsWith(root + sep))
      throw new ArchiveRefused("link-leaves-folder", path, `the symbolic link points out of the folder (to ${JSON.stringify(target)})`);
  }
}

function asRefusal(error: unknown, entry?: string): Error {
  if (error instanceof ArchiveRefused) return error;
  const code = (error as NodeJS.ErrnoException).code;
  // A full disk or a missing right is the machine's trouble, not the archive's.
  if (code === "ENOSPC" || code === "EACCES" || code === "EROFS" || code === "EMFILE") return error as Error;
  if (code === "EEXIST")
    return new ArchiveRefused("duplicate-name", entry, "the archive has this name twice for this file system", { cause: error });
  return new ArchiveRefused("corrupt", entry, `the archive cannot be read (${(error as Error).message})`, { cause: error });
}
