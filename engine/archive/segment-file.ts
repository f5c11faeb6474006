import { createHash } from "node:crypto";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as z from "zod";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { SealManifest } from "../../domain/kernel/seal.ts";

/** A segment cannot be read to its end. */
export class SegmentDamaged extends Error {
  override readonly name = "SegmentDamaged";
}

/** Bytes that are unpacked at once: some hundred commits. */
const CHUNK = 128 * 1024;
/** Far above any commit: a body is 32 KB at most, and each of its bytes may be escaped. */
const MAX_LINE = 1024 * 1024;

/** More than was sealed is read so far, to name the line where it was changed. */
const bytesMaxOf = (sealed: number): number => 2 * sealed + MAX_LINE;

/** What fits into memory without a thought: most days. */
const SMALL = 1024 * 1024;

/** A segment's bytes, with their digest (sha256, hex). In memory, or in a file that is gone with the process, however that ends. */
export type FetchedSegment = { readonly digest: string; read(): Readable; close(): Promise<void> };

/** Fetches a segment. @throws SegmentDamaged where it is gone, or far longer than its seal says */
export const fetchSegment = async (
  openSegment: (key: string) => Promise<Readable | undefined>,
  { segment }: Pick<SealManifest, "segment">,
): Promise<FetchedSegment> => {
  const body = await openSegment(segment.key);
  if (body === undefined) throw new SegmentDamaged(`the segment ${segment.key} is gone`);
  const digest = createHash("sha256");
  const bytes = measured(body, bytesMaxOf(segment.bytes), (chunk) => digest.update(chunk));
  if (segment.bytes <= SMALL) {
    const whole = Buffer.concat(await Array.fromAsync(bytes));
    return { digest: digest.digest("hex"), read: () => Readable.from([whole], { objectMode: false }), close: async () => undefined };
  }
  const file = await namelessFile();
  try {
    await file.writeFile(bytes);
    const read = (): Readable => file.createReadStream({ start: 0, highWaterMark: CHUNK, autoClose: false });
    return { digest: digest.digest("hex"), read, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
};

async function* measured(bytes: AsyncIterable<Buffer>, bytesMax: number, see: (chunk: Buffer) => unknown): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > bytesMax) throw new SegmentDamaged(`the segment is far longer than what was sealed: it goes on after ${bytesMax} bytes`);
    see(chunk);
    yield chunk;
  }
}

/** A file that is in no folder. */
const namelessFile = async (): Promise<FileHandle> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-segment-"));
  try {
    return await open(join(folder, "segment"), "wx+", 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/**
 * The lines of a segment, some hundred at a time. However well it was packed, no more than a chunk and a line of it is in
 * memory.
 *
 * @throws SegmentDamaged where it cannot be unpacked, a line is endless, or the last one does not end
 */
export async function* linesOf(segment: FetchedSegment): AsyncGenerator<string[]> {
  const unpacked = createGunzip({ chunkSize: CHUNK }).setEncoding("utf8");
  // where it fails, the loop below fails of the same
  pipeline(segment.read(), unpacked).catch(() => undefined);
  let rest = "";
  try {
    for await (const text of unpacked) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MAX_LINE) throw new SegmentDamaged("this line is longer than any commit");
      yield lines;
    }
  } catch (error) {
    if (error instanceof SegmentDamaged || !(error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))) throw error;
    throw new SegmentDamaged(`the segment cannot be unpacked from here on: ${error.message}`, { cause: error });
  }
  if (rest !== "") throw new SegmentDamaged("the segment ends within this line");
}

const text = z.string();
const Line = z.strictObject({
  stream: text,
  version: z.number().int().positive(),
  id: text,
  body: text,
  cause: text,
  correlation: text,
  actor: text,
  origin: text,
  at: text,
  position: text,
  prev: text,
  hash: text,
}) satisfies z.ZodType<Commit>;

/** The commit that a line holds; `undefined` where it holds none. */
export const commitIn = (line: string): Commit | undefined => {
  try {
    return Line.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
};
