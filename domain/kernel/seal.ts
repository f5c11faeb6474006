import * as z from "zod";
import type { Commit, Sha256 } from "./chain.ts";
import { commitHash } from "./chain.ts";

/**
 * A seal closes a stretch of the log: how many commits there were, the root over their hashes, where each stream stood.
 * It is signed with a key that is kept apart from the log, so who can change the log cannot make a new seal. A chain
 * alone does not show that its end was cut off; a seal does. Stored for ever.
 */
export const SealManifest = z.object({
  v: z.literal(1),
  /** 1, 2, 3 … without holes */
  number: z.number().int().positive(),
  /** positions: from (included) and to (excluded) */
  since: z.string().regex(/^\d{15}$/),
  until: z.string().regex(/^\d{15}$/),
  count: z.number().int().nonnegative(),
  first: z.string().nullable(),
  last: z.string().nullable(),
  /** sha256 over the hashes of the commits, in the segment's order */
  root: z.string(),
  segment: z.object({ key: z.string(), sha256: z.string(), bytes: z.number().int() }),
  /** version and hash of the last commit of each stream in the segment */
  heads: z.record(z.string(), z.object({ version: z.number().int().positive(), hash: z.string() })),
  /** sha256 of the manifest before this one, as it was signed; null for the first */
  previous: z.string().nullable(),
  sealedAt: z.string(),
});
export type SealManifest = z.infer<typeof SealManifest>;

/**
 * A manifest exactly as its digest was signed, with the signature (base64) and the name of the key that signed. Stored for
 * ever: seals of version 1 carry no `v`, and the name of the key is not under their signature.
 */
export const Seal = z.object({ v: z.literal(2).optional(), manifest: z.string(), signature: z.string(), key: z.string() });
export type Seal = z.infer<typeof Seal>;

/**
 * What is signed of a seal: its manifest's digest, and from version 2 on the key's name, behind words that no other
 * signature begins with. A manifest names every stream of its stretch, and KMS signs 4,096 bytes at most. Kept for ever.
 *
 * @param sha256 in hex
 */
export const signedText = (sha256: Sha256, { v, manifest, key }: Omit<Seal, "signature">): string =>
  v === undefined ? `shiplog seal v1 sha256 ${sha256(manifest)}` : `shiplog seal v2 sha256 ${sha256(manifest)} key ${key}`;

/** Where and why sealed history is not what was sealed. `line` is the first bad line of the segment, from 1. */
export type SealFault = { readonly seal: number; readonly line?: number; readonly position?: string; readonly reason: string };

/** The order of a segment: the log's. */
export const inLogOrder = (
  a: Pick<Commit, "position" | "stream" | "version">,
  b: Pick<Commit, "position" | "stream" | "version">,
): number =>
  a.position !== b.position
    ? a.position < b.position
      ? -1
      : 1
    : a.stream !== b.stream
      ? a.stream < b.stream
        ? -1
        : 1
      : a.version - b.version;

/** Takes a segment's commits one by one, keeping only what the manifest needs: memory grows with streams, not with commits. */
export const sealing = (sha256: Sha256) => {
  let count = 0;
  let root = "";
  let first: string | null = null;
  let last: string | null = null;
  const heads: SealManifest["heads"] = {};
  return {
    add: ({ stream, version, hash, position }: Commit): void => {
      count += 1;
      root = sha256(`${root}\n${hash}`);
      first ??= position;
      last = position;
      heads[stream] = { version, hash };
    },
    end: () => ({ count, root, first, last, heads }),
  };
};

/**
 * Checks the commits of one sealed segment, one by one and in order, against its manifest and what was sealed before.
 *
 * @param known last version and hash of each stream in the segments before; it is brought up to date here
 */
export const segmentChecker = (sha256: Sha256, manifest: SealManifest, known: Map<string, { version: number; hash: string }>) => {
  const sealed = sealing(sha256);
  let line = 0;
  let previous: Commit | undefined;
  const fault = (reason: string, position?: string): SealFault => ({
    seal: manifest.number,
    line,
    ...(position !== undefined && { position }),
    reason,
  });
  return {
    /** The fault of this commit, if it has one. */
    check: (commit: Commit): SealFault | undefined => {
      line += 1;
      const { stream, version, position, hash, prev } = commit;
      const head = known.get(stream) ?? { version: 0, hash: "" };
      if (hash !== commitHash(sha256, commit)) return fault("its content was changed after it was written", position);
      if (previous !== undefined && inLogOrder(previous, commit) >= 0) return fault("it is out of order or there twice", position);
      if (version !== head.version + 1)
        return fault(`${stream} goes from version ${head.version} to ${version}: commits are missing or were put in`, position);
      if (prev !== head.hash) return fault("it does not follow from the commit before it in its stream", position);
      known.set(stream, { version, hash });
      sealed.add(commit);
      previous = commit;
      return undefined;
    },
    /** What is missing at the end, if anything is. */
    end: (): SealFault | undefined => {
      line += 1;
      const { count, root } = sealed.end();
      if (count !== manifest.count) return fault(`${manifest.count} commits were sealed and ${count} are there`);
      if (root !== manifest.root) return fault("the commits are not those that were sealed");
      return undefined;
    },
  };
};
