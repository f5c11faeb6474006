import { createWriteStream } from "node:fs";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { ArchiveRefused, checkLinks, isProgramLink } from "./archive-rules.ts";
import { type Archive, checked, isSmall, type Listed, listEntries, openArchive, readLinks, wholeContent } from "./archive-unzip.ts";
import { digester, whole, type Zipped } from "./archive-zip.ts";

/**
 * Writes one folder of an archive as an archive of its own, as `zipDirectory` would of the unpacked folder, but takes what is
 * deflated as it is: deflating it again is most of the time that a release takes. So its bytes depend on names, contents,
 * links, the executable bit, and on who deflated them. Links to programs are left out.
 *
 * For archives whose entries `unzipInto` has looked at: names and sizes are. Here each content is inflated once to see that it
 * is what its checksum says. `target` appears whole or not at all. Throws `ArchiveRefused`.
 *
 * @param changes `added`: files that are put beside them, in the place of what has their names; `replaced`: what is written for
 * what in the content of each file that the archive has, however large
 */
export async function zipFolderOf(
  archive: string,
  folder: string,
  target: string,
  { added = [], replaced = [] }: Changes = {},
): Promise<Omit<Zipped, "entries" | "strayPrograms">> {
  const opened = await openArchive(archive);
  const { zip } = opened;
  const digest = digester();
  try {
    const inside = (await listEntries(zip, MAX_ENTRIES))
      .filter(({ path, kind }) => path.startsWith(`${folder}/`) && kind !== "folder")
      .map((one) => ({ ...one, path: one.path.slice(folder.length + 1) }))
      .filter(({ path, kind }) => !(kind === "link" && isProgramLink(path)) && !added.some((one) => one.path === path));
    if (inside.length === 0) throw new ArchiveRefused("empty", folder, "the archive has nothing there");
    checkLinks(await readLinks(zip, inside, () => undefined));
    const parts = [...inside, ...added.map(partOf)].sort((a, b) => (a.path < b.path ? -1 : 1));
    await whole(target, (partial) => pipeline(Readable.from(bytesOf(opened, parts, replaced)), digest.stream, createWriteStream(partial)));
    return { ...digest.result(), files: parts.length };
  } finally {
    zip.close();
  }
}

export type Changes = { readonly added?: readonly Added[]; readonly replaced?: readonly Replacement[] };
export type Added = { readonly path: string; readonly text: string };
/** Both of the same length. */
export type Replacement = { readonly from: Buffer; readonly to: Buffer };

/** What goes into the new archive: an entry of the old one that is passed on as a stream, or one whose bytes are in memory. */
type Part = Listed | InMemory;
type InMemory = Omit<Listed, "entry"> & {
  readonly entry: Pick<Listed["entry"], "compressionMethod" | "crc32" | "compressedSize" | "uncompressedSize">;
  /** as it is in the archive: deflated or stored */
  readonly packed: Buffer;
};

const partOf = ({ path, text }: Added): InMemory => stored({ path, kind: "file", executable: false }, Buffer.from(text));

/** Not deflated: the bytes of what is ours do not depend on the zlib of the day. */
const stored = ({ path, kind, executable }: Omit<Listed, "entry">, content: Buffer): InMemory => {
  const entry = { compressionMethod: STORED, crc32: crc32(content), compressedSize: content.length, uncompressedSize: content.length };
  return { path, kind, executable, entry, packed: content };
};
const STORED = 0;

/** Of the whole archive; `unzipInto` takes no more. */
const MAX_ENTRIES = 50_000;
/** Entries that are read at once. */
const GROUP = 32;

async function* bytesOf(archive: Archive, entries: readonly Part[], replaced: readonly Replacement[]): AsyncGenerator<Buffer> {
  const directory: Buffer[] = [];
  let offset = 0;
  for (let from = 0; from < entries.length; from += GROUP) {
    const group = entries.slice(from, from + GROUP);
    for (const one of await Promise.all(group.map((part) => ("packed" in part ? part : soundPart(archive, part, replaced))))) {
      const header = localHeader(one);
      yield header;
      if ("packed" in one) yield one.packed;
      else yield* (await archive.zip.openReadStreamPromise(one.entry, { decodeFileData: false })) as AsyncIterable<Buffer>;
      directory.push(directoryEntry(one, offset));
      offset += header.length + one.entry.compressedSize;
    }
  }
  const listing = Buffer.concat(directory);
  yield listing;
  yield endOf(entries.length, offset, listing.length);
}

/** An entry whose content is sound, with what is replaced in it. One that is too big stays where it is, unless it is changed. */
const soundPart = async (archive: Archive, one: Listed, replaced: readonly Replacement[]): Promise<Part> => {
  const { path, kind, entry } = one;
  const wanted = kind === "file" ? replaced : [];
  if (!isSmall(entry) && !(await holdsAny(archive, one, wanted))) return one;
  const { packed, content } = await wholeContent(archive, path, entry);
  const changed = withReplaced(content, wanted);
  return changed === undefined ? { ...one, packed } : stored(one, changed);
};

/** Whether a big entry has one of them. Reads all of it, to see that it is sound. */
const holdsAny = async ({ zip }: Archive, { path, entry }: Listed, replaced: readonly Replacement[]): Promise<boolean> => {
  const before = Math.max(1, ...replaced.map(({ from }) => from.length)) - 1;
  let found = false;
  let rest: Buffer = Buffer.alloc(0);
  const look = (chunk: Buffer): void => {
    const window = Buffer.concat([rest, chunk]);
    found ||= replaced.some(({ from }) => window.includes(from));
    rest = window.subarray(Math.max(0, window.length - before));
  };
  await pipeline(
    checked(await zip.openReadStreamPromise(entry), path, entry.crc32, () => undefined),
    new Writable({
      write: (chunk, _encoding, done) => {
        if (replaced.length > 0) look(chunk);
        done();
      },
    }),
  );
  return found;
};

/** A copy with everything replaced; `undefined` where there is nothing to replace. */
const withReplaced = (content: Buffer, replaced: readonly Replacement[]): Buffer | undefined => {
  let changed: Buffer | undefined;
  for (const { from, to } of replaced)
    for (let at = content.indexOf(from); at !== -1; at = content.indexOf(from, at + from.length)) {
      changed ??= Buffer.from(content);
      to.copy(changed, at);
    }
  return changed;
};

/** What both headers of an entry say in the same words: names are UTF-8, and every file is of 1980-01-01. */
const common = ({ path, entry }: Part): Buffer => {
  const bytes = Buffer.alloc(26);
  bytes.writeUInt16LE(20, 0); // version needed to extract
  bytes.writeUInt16LE(0x0800, 2);
  bytes.writeUInt16LE(entry.compressionMethod, 4);
  bytes.writeUInt16LE(0, 6);
  bytes.writeUInt16LE(0x21, 8);
  bytes.writeUInt32LE(entry.crc32, 10);
  bytes.writeUInt32LE(entry.compressedSize, 14);
  bytes.writeUInt32LE(entry.uncompressedSize, 18);
  bytes.writeUInt16LE(Buffer.byteLength(path), 22);
  return bytes;
};

const localHeader = (one: Part): Buffer => Buffer.concat([Buffer.from("PK\x03\x04"), common(one), Buffer.from(one.path)]);

const directoryEntry = (one: Part, offset: number): Buffer => {
  const bytes = Buffer.alloc(14);
  const mode = one.kind === "link" ? 0o120777 : one.executable ? 0o100755 : 0o100644;
  bytes.writeUInt32LE((mode << 16) >>> 0, 6);
  bytes.writeUInt32LE(offset, 10);
  const madeByUnix = Buffer.from([0x3f, 0x03]);
  return Buffer.concat([Buffer.from("PK\x01\x02"), madeByUnix, common(one), bytes, Buffer.from(one.path)]);
};

const endOf = (entries: number, offset: number, bytes: number): Buffer => {
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(bytes, 12);
  end.writeUInt32LE(offset, 16);
  return end;
};
