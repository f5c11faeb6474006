import * as z from "zod";
import type { Commit, Sha256 } from "./chain.ts";
import { commitHash } from "./chain.ts";

const shared = {
  /** 1, 2, 3 … without holes */
  number: z.number().int().positive(),
  count: z.number().int().nonnegative(),
  /** positions of the segment's first and last commit */
  first: z.string().nullable(),
  last: z.string().nullable(),
  /** sha256 over the hashes of the commits, in the segment's order */
  root: z.string(),
  /** its key names a file in one folder, and nothing else */
  segment: z.object({ key: z.string().regex(/^segments\/\w[\w.-]*$/), sha256: z.string(), bytes: z.number().int() }),
  /** sha256 of the manifest before this one, as it was signed; null for the first */
  previous: z.string().nullable(),
  sealedAt: z.string(),
};
const version = z.number().int().positive();

/** Versions of one stream without holes: from (included) to (included), and the hash of the last. */
const Run = z.object({ from: version, to: version, hash: z.string() });

/** Sealed by time: what had a position between two. Written until 0.1, read for ever. */
const ByTime = z.object({
  v: z.literal(1),
  ...shared,
  /** positions: from (included) and to (excluded) */
  since: z.string().regex(/^\d{15}$/),
  until: z.string().regex(/^\d{15}$/),
  /** version and hash of the last commit of each stream in the segment */
  heads: z.record(z.string(), z.object({ version, hash: z.string() })),
});
/** Sealed by heads: what each stream has behind what was sealed of it before, whenever that was written. */
const ByHeads = z.object({ v: z.literal(2), ...shared, streams: z.record(z.string(), z.array(Run)) });

/**
 * A seal vouches for a part of the log: how many commits it has, the root over their hashes, where each stream stood. It is
 * signed with a key that is kept apart from the log, so who can change the log cannot make a new seal. A chain alone does
 * not show that its end was cut off; a seal does. Stored for ever.
 */
export const SealManifest = z.discriminatedUnion("v", [ByTime, ByHeads]);
export type SealManifest = z.infer<typeof SealManifest>;
export type ManifestByHeads = z.infer<typeof ByHeads>;

/** What is sealed of one stream: up to a version with its hash, but for what seals by time passed over. */
export type SealedHead = { readonly version: number; readonly hash: string; readonly missing: readonly Missing[] };
/** Versions in no seal, from and to included, between two that are sealed: what they follow from, and what follows from them. */
export type Missing = { readonly from: number; readonly to: number; readonly before: string; readonly after: string };
export const NOTHING_SEALED: SealedHead = { version: 0, hash: "", missing: [] };

/** The head once this commit of the stream is sealed too, or why it cannot be. */
export const sealedWith = (head: SealedHead, { version, prev, hash, stream }: Commit): SealedHead | { readonly reason: string } => {
  const follows = "it does not follow from the commit before it in its stream";
  if (version === head.version + 1) return prev === head.hash ? { ...head, version, hash } : { reason: follows };
  if (version > head.version) return { ...head, version, hash, missing: [...head.missing, passedOver(head, version, prev)] };
  const gap = head.missing.find(({ from }) => from === version);
  if (gap === undefined) return { reason: `${stream} has version ${version} sealed twice` };
  if (prev !== gap.before || (version === gap.to && hash !== gap.after)) return { reason: follows };
  const left = version === gap.to ? [] : [{ ...gap, from: version + 1, before: hash }];
  return { ...head, missing: head.missing.flatMap((one) => (one === gap ? left : [one])) };
};

const passedOver = (head: SealedHead, version: number, prev: string): Missing => ({
  from: head.version + 1,
  to: version - 1,
  before: head.hash,
  after: prev,
});

/**
 * A manifest exactly as its digest was signed, with the signature (base64) and the name of the key that signed. Stored for
 * ever: seals of version 1 carry no `v`, and the name of the key is not under their signature.
 */
export const Seal = z.strictObject({ v: z.literal(2).optional(), manifest: z.string(), signature: z.string(), key: z.string() });
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
export type SealFault = {
  readonly seal: number;
  readonly line?: number;
  readonly position?: string;
  /** of the seal or of its segment */
  readonly file?: string;
  readonly reason: string;
};

/** Why a seal does not follow from the one before it, if it does not. `digest`: of its manifest, in hex. */
export const successionFault = (
  manifest: SealManifest,
  before: { readonly manifest: SealManifest; readonly digest: string } | undefined,
): string | undefined => {
  const expected = (before?.manifest.number ?? 0) + 1;
  if (manifest.number !== expected) return `seal ${expected} is missing: ${manifest.number} follows`;
  if (manifest.previous !== (before?.digest ?? null)) return "it does not follow from the seal before it";
  if (before?.manifest.v === 1 && manifest.v === 1 && manifest.since !== before.manifest.until)
    return "it does not begin where the seal before it ended";
  return undefined;
};

/** What is sealed of each stream. */
export type Heads = Pick<Map<string, SealedHead>, "get" | "set">;

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
  const streams: Record<string, { from: number; to: number; hash: string }[]> = {};
  return {
    add: ({ stream, version, hash, position }: Commit): void => {
      count += 1;
      root = sha256(`${root}\n${hash}`);
      first ??= position;
      last = position;
      streams[stream] ??= [];
      const runs = streams[stream];
      const run = runs.at(-1);
      if (run?.to === version - 1) Object.assign(run, { to: version, hash });
      else runs.push({ from: version, to: version, hash });
    },
    end: () => ({ count, root, first, last, streams }),
  };
};

/**
 * Checks the commits of one sealed segment, one by one and in order, against its manifest and what was sealed before.
 *
 * @param known what the segments before have of each stream; it is brought up to date here
 */
export const segmentChecker = (sha256: Sha256, manifest: SealManifest, known: Heads) => {
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
      const { stream, version, position, hash } = commit;
      const head = known.get(stream) ?? NOTHING_SEALED;
      if (hash !== commitHash(sha256, commit)) return fault("its content was changed after it was written", position);
      if (previous !== undefined && inLogOrder(previous, commit) >= 0) return fault("it is out of order or there twice", position);
      // a seal by time could pass over what came late: the next seal by heads has it
      if (manifest.v !== 1 && version > head.version + 1)
        return fault(`${stream} goes from version ${head.version} to ${version}: commits are missing or were put in`, position);
      const next = sealedWith(head, commit);
      if ("reason" in next) return fault(next.reason, position);
      known.set(stream, next);
      sealed.add(commit);
      previous = commit;
      return undefined;
    },
    /** What is missing at the end, if anything is. */
    end: (): SealFault | undefined => {
      line += 1;
      const { count, root, streams } = sealed.end();
      if (count !== manifest.count) return fault(`${manifest.count} commits were sealed and ${count} are there`);
      if (root !== manifest.root) return fault("the commits are not those that were sealed");
      if (manifest.v !== 1 && !sameRuns(manifest.streams, streams)) return fault("the streams' versions are not those that were sealed");
      return undefined;
    },
  };
};

type Runs = ManifestByHeads["streams"];
const sameRuns = (one: Runs, other: Runs): boolean => {
  const text = (runs: Runs): string =>
    Object.keys(runs)
      .sort()
      .map((stream) => `${stream} ${JSON.stringify(runs[stream])}`)
      .join("\n");
  return text(one) === text(other);
};

/** Commits that no seal has though a later one of their stream is sealed: seals by time could pass over what came late. */
export const passedOverBySeals = (known: ReadonlyMap<string, SealedHead>): number =>
  [...known.values()].flatMap(({ missing }) => missing).reduce((sum, { from, to }) => sum + to - from + 1, 0);

/** The streams that a manifest has commits of. */
export const streamsOf = (manifest: SealManifest): readonly string[] => Object.keys(manifest.v === 1 ? manifest.heads : manifest.streams);
