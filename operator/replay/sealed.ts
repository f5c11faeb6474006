import type { Commit } from "../../domain/kernel/chain.ts";
import type { SealManifest } from "../../domain/kernel/seal.ts";
import { publicKeyOf, SealBroken, type SealedHistory, verifiedManifests } from "../../engine/archive/sealed-history.ts";
import { type FetchedSegment, fetchSegment, linesOf, SegmentDamaged } from "../../engine/archive/segment-file.ts";

export type Ports = SealedHistory & {
  /** PEM of the key that seals are signed with */
  publicKey(): Promise<string>;
};

/** The manifests of every seal, each signed, each following from the one before. @throws SealBroken */
export const manifestsOf = async (archive: Ports): Promise<SealManifest[]> => {
  const key = publicKeyOf(await archive.publicKey());
  if (key === undefined) throw new Error("The key that seals are signed with is no Ed25519 key");
  return Array.fromAsync(verifiedManifests(archive, key));
};

/** Some hundred commits of one segment, in its order. */
export type SealedCommits = { /** of the segment, from 0 */ readonly index: number; readonly commits: readonly Commit[] };

/**
 * The commits of segments in their order, some hundred at a time; only those of streams with one of these beginnings. A
 * segment's digest is compared before the first of its commits is given out, and the next one is fetched meanwhile.
 *
 * @throws SealBroken
 */
export async function* commitsOf(
  archive: Pick<Ports, "open">,
  manifests: readonly SealManifest[],
  prefixes: readonly string[],
): AsyncGenerator<SealedCommits> {
  const fetched = (index: number): Promise<FetchedSegment> | undefined => {
    const manifest = manifests[index];
    const file = manifest && asSealed(archive, manifest);
    // where it fails, that is said when its turn comes
    file?.catch(() => undefined);
    return file;
  };
  let next = fetched(0);
  try {
    for (const [index, manifest] of manifests.entries()) {
      const file = await next;
      if (file === undefined) return;
      next = fetched(index + 1);
      try {
        for await (const commits of wantedIn(file, prefixes)) yield { index, commits };
      } catch (error) {
        throw brokenOf(manifest, error);
      } finally {
        await file.close();
      }
    }
  } finally {
    await next?.then((file) => file.close()).catch(() => undefined);
  }
}

const asSealed = async (archive: Pick<Ports, "open">, manifest: SealManifest): Promise<FetchedSegment> => {
  try {
    const file = await fetchSegment(archive.open, manifest);
    if (file.digest === manifest.segment.sha256) return file;
    await file.close();
    throw new SegmentDamaged("the segment is not the one that was sealed: its digest is another");
  } catch (error) {
    throw brokenOf(manifest, error);
  }
};

const brokenOf = ({ number, segment }: SealManifest, error: unknown): unknown =>
  error instanceof SegmentDamaged ? new SealBroken({ seal: number, file: segment.key, reason: error.message }, { cause: error }) : error;

/** What a line begins with is enough to pass over streams that nobody wants: the digest has vouched for its shape. */
async function* wantedIn(segment: FetchedSegment, prefixes: readonly string[]): AsyncGenerator<Commit[]> {
  const wanted = prefixes.map((prefix) => `{"stream":"${prefix}`);
  for await (const lines of linesOf(segment))
    yield lines.filter((line) => wanted.some((beginning) => line.startsWith(beginning))).map((line) => JSON.parse(line) as Commit);
}
