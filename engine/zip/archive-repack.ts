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
 * @param added files that are put beside them, in the place of what has their names
 */
export async function zipFolderOf(
  archive: string,
  folder: string,
  target: string,
  added: readonly Added[] = [],
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
    await whole(target, (partial) => pipeline(Readable.from(bytesOf(opened, parts)), digest.stream, createWriteStream(partial)));
    return { ...digest.result(), files: parts.length };
  } finally {
    zip.close();
  }
}

export type Added = { readonly path: string; readonly text: string };

/** What goes into the new archive: an entry of the old one, or a file of ours with its content. */
type Part = Listed | Own;
type Own = Omit<Listed, "entry"> & {
  readonly entry: Pick<Listed["entry"], "compressionMethod" | "crc32" | "compressedSize" | "uncompressedSize">;
  readonly content: Buffer;
};

const partOf = ({ path, text }: Added): Own => {
  const content = Buffer.from(text);
  const entry = { compressionMethod: STORED, crc32: crc32(content), compressedSize: content.length, uncompressedSize: content.length };
  return { path, kind: "file", executable: false, entry, content };
};
const STORED = 0;

/** Of the whole archive; `unzipInto` takes no more. */
const MAX_ENTRIES = 50_000;
/** Entries that are read at once. */
const GROUP = 32;

async function* bytesOf(archive: Archive, entries: readonly Part[]): AsyncGenerator<Buffer> {
  const directory: Buffer[] = [];
  let offset = 0;
  for (let from = 0; from < entries.length; from += GROUP) {
    const group = entries.slice(from, from + GROUP);
    const contents = await Promise.all(group.map((one) => ("content" in one ? one.content : soundContent(archive, one))));
    for (const [index, one] of group.entries()) {
      const header = localHeader(one);
      yield header;
      const content = contents[index];
      if (content !== undefined) yield content;
      else if (!("content" in one))
        yield* (await archive.zip.openReadStreamPromise(one.entry, { decodeFileData: false })) as AsyncIterable<Buffer>;
      directory.push(directoryEntry(one, offset));
      offset += header.length + one.entry.compressedSize;
    }
  }
  const listing = Buffer.concat(directory);
  yield listing;
  yield endOf(entries.length, offset, listing.length);
}

/** The deflated bytes of an entry whose content is sound; `undefined` for one that is too big to be held in memory. */
const soundContent = async (archive: Archive, { path, entry }: Listed): Promise<Buffer | undefined> => {
  if (isSmall(entry)) return (await wholeContent(archive, path, entry)).packed;
  const content = await archive.zip.openReadStreamPromise(entry);
  await pipeline(
    checked(content, path, entry.crc32, () => undefined),
    new Writable({ write: (_chunk, _encoding, done) => done() }),
  );
  return undefined;
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
