import { createHash, createPublicKey, hash, verify } from "node:crypto";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Commit, Sha256 } from "../../domain/kernel/chain.ts";
import { type Seal, SealManifest, signedText } from "../../domain/kernel/seal.ts";

/** Sealed history is not what was sealed: nothing is rebuilt from it. */
export class NotAsSealed extends Error {
  override readonly name = "NotAsSealed";
}

export type Ports = {
  /** every seal, in order */
  seals(): Promise<readonly Seal[]>;
  /** PEM of the key that seals are signed with */
  publicKey(): Promise<string>;
  /** the bytes of a segment; `undefined` where there is none of that key */
  open(key: string): Promise<Readable | undefined>;
};

const sha256Hex: Sha256 = (text) => hash("sha256", text, "hex");

/** The manifests of every seal, each signed, each following from the one before. */
export const verifiedManifests = async ({ seals, publicKey }: Ports): Promise<SealManifest[]> => {
  const found = await seals();
  if (found.length === 0) return [];
  const key = createPublicKey(await publicKey());
  const manifests: SealManifest[] = [];
  let before: string | null = null;
  for (const seal of found) {
    const { manifest: text, signature } = seal;
    const number = manifests.length + 1;
    if (!verify(null, Buffer.from(signedText(sha256Hex, seal)), key, Buffer.from(signature, "base64")))
      throw new NotAsSealed(`seal ${number} is not signed by the key of seals: it was changed, or another key signed it`);
    const manifest = SealManifest.parse(JSON.parse(text));
    if (manifest.number !== number || manifest.previous !== before)
      throw new NotAsSealed(`seal ${number} does not follow from the seal before it`);
    manifests.push(manifest);
    before = sha256Hex(text);
  }
  return manifests;
};

/** Bytes that are unpacked at once: some hundred commits. */
const CHUNK = 128 * 1024;

/** Some hundred commits of one segment, in its order. */
export type SealedCommits = { /** of the segment, from 0 */ readonly index: number; readonly commits: readonly Commit[] };

/**
 * The commits of segments in their order, some hundred at a time; only those of streams with one of these beginnings. A
 * segment's digest is compared before the first of its commits is given out, and the next one is fetched meanwhile.
 */
export async function* commitsOf(
  archive: Pick<Ports, "open">,
  manifests: readonly SealManifest[],
  prefixes: readonly string[],
): AsyncGenerator<SealedCommits> {
  const fetched = (index: number): Promise<FileHandle> | undefined => {
    const manifest = manifests[index];
    const file = manifest && fetchSegment(archive, manifest);
    // where it fails, that is said when its turn comes
    file?.catch(() => undefined);
    return file;
  };
  let next = fetched(0);
  try {
    for (let index = 0; next !== undefined; index++) {
      const file = await next;
      next = fetched(index + 1);
      try {
        for await (const commits of parsed(file, prefixes)) yield { index, commits };
      } finally {
        await file.close();
      }
    }
  } finally {
    await next?.then((file) => file.close()).catch(() => undefined);
  }
}

const fetchSegment = async (archive: Pick<Ports, "open">, { number, segment }: SealManifest): Promise<FileHandle> => {
  const body = await archive.open(segment.key);
  if (body === undefined) throw new NotAsSealed(`the segment ${segment.key} of seal ${number} is gone from the archive`);
  const file = await namelessFile();
  try {
    const digest = createHash("sha256");
    await file.writeFile(through(body, (chunk) => digest.update(chunk)));
    if (digest.digest("hex") !== segment.sha256)
      throw new NotAsSealed(`the segment ${segment.key} is not the one that seal ${number} names: its digest is another`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
};

async function* through(bytes: AsyncIterable<Buffer>, see: (chunk: Buffer) => unknown): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    see(chunk);
    yield chunk;
  }
}

/** A file that is in no folder: it is gone with the process, however that ends. */
const namelessFile = async (): Promise<FileHandle> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-replay-"));
  try {
    return await open(join(folder, "segment"), "wx+", 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** What a line begins with is enough to pass over streams that nobody wants: the digest has vouched for its shape. */
async function* parsed(file: FileHandle, prefixes: readonly string[]): AsyncGenerator<Commit[]> {
  const wanted = prefixes.map((prefix) => `{"stream":"${prefix}`);
  const packed = file.createReadStream({ start: 0, highWaterMark: CHUNK });
  const unpacked = createGunzip({ chunkSize: CHUNK }).setEncoding("utf8");
  const ended = pipeline(packed, unpacked);
  // where it fails, the loop below fails of the same
  ended.catch(() => undefined);
  let rest = "";
  for await (const text of unpacked) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    const commits: Commit[] = [];
    for (const line of lines) if (wanted.some((beginning) => line.startsWith(beginning))) commits.push(JSON.parse(line) as Commit);
    yield commits;
  }
}
