import { type Commit, commitHash, type Sha256 } from "../../domain/kernel/chain.ts";
import {
  inLogOrder,
  type ManifestByHeads,
  NOTHING_SEALED,
  type Seal,
  type SealedHead,
  SealManifest,
  sealedWith,
  sealing,
  signedText,
} from "../../domain/kernel/seal.ts";
import { sha256Hex } from "../log/digest.ts";
import { catchUp, type Ports as HeadPorts } from "./sealed-heads.ts";

/** Takes the lines of a segment and gives it back as a stored object. */
export type SegmentWriter = {
  write(line: string): Promise<void>;
  /** stores it, gzipped, under a name made of its number and digest */
  end(number: number): Promise<{ key: string; sha256: string; bytes: number }>;
  /** throws it away */
  discard(): Promise<void>;
};

export type Ports = HeadPorts & {
  /** the commits of a stream after a version, strongly consistent, in order */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  /** the newest seal there is */
  latest(): Promise<Seal | undefined>;
  openSegment(): Promise<SegmentWriter>;
  /** the full name of the key that signs now */
  keyName(): Promise<string>;
  /** signs a text with that key; base64 */
  sign(text: string, key: string): Promise<string>;
  /** stores a seal where there is none of its number yet; `false` where somebody else was first */
  store(number: number, seal: Seal): Promise<boolean>;
  now(): number;
};

/** A stream that is not what was written: what is wrong with it is in no seal, the rest of the log is. */
export class NotAllSealed extends Error {
  override readonly name = "NotAllSealed";
}

/** The key that signs is not the one that signed before: a history with seals of two keys verifies with neither. */
export class SealKeyChanged extends Error {
  override readonly name = "SealKeyChanged";
}

/** Commits that one seal has at most, a stream's last ones aside: they are in memory to be put in order. */
const MAX_COMMITS = 5_000;

/**
 * Seals what is in no seal: of each stream, whatever is behind what was sealed of it before. No clock says what belongs in:
 * a commit that is written late, or with a clock that is far off, is in the next seal. Answers the last manifest, or
 * `undefined` where there was nothing to seal or another sealer was first.
 *
 * @param even seals also where nothing happened since: that proves it
 * @throws NotAllSealed, once everything else is sealed
 */
export const sealRest = async (ports: Ports, even: "nothing new" | "only what is new"): Promise<SealManifest | undefined> => {
  let manifest: SealManifest | undefined;
  for (;;) {
    const before = await ports.latest();
    const previous = before && SealManifest.parse(JSON.parse(before.manifest));
    await catchUp(ports, previous?.number ?? 0);
    const { commits, heads, faults, more } = await unsealedCommits(ports, MAX_COMMITS);
    if (commits.length > 0 || (manifest === undefined && even === "nothing new")) {
      const sealed = await seal(ports, before, (previous?.number ?? 0) + 1, commits.sort(inLogOrder));
      if (sealed === undefined) return manifest;
      manifest = sealed;
      for (const [stream, head] of heads) await ports.noteSealed(stream, head);
      await ports.noteSeals(manifest.number);
    }
    if (more) continue;
    if (faults.length > 0) throw new NotAllSealed(`${faults.join("; ")}. Everything else is sealed`);
    return manifest;
  }
};

/** Commits of the log that are in no seal. */
type Unsealed = {
  readonly commits: Commit[];
  /** what is sealed of their streams once these are */
  readonly heads: ReadonlyMap<string, SealedHead>;
  /** what cannot be sealed, and why */
  readonly faults: readonly string[];
  /** there are more than were asked for */
  readonly more: boolean;
};

/** Costs what is new: the streams that have something, each read from where it is sealed. */
export const unsealedCommits = async (
  ports: Pick<Ports, "sha256" | "read" | "unsealedStreams" | "sealedHead" | "noteSealed">,
  limit: number,
): Promise<Unsealed> => {
  const commits: Commit[] = [];
  const heads = new Map<string, SealedHead>();
  const faults: string[] = [];
  for (const stream of await ports.unsealedStreams()) {
    if (commits.length >= limit) return { commits, heads, faults, more: true };
    const sealed = (await ports.sealedHead(stream)) ?? NOTHING_SEALED;
    const first = sealed.missing[0]?.from ?? sealed.version + 1;
    const rest = (await ports.read(stream, first - 1)).filter(({ version }) => isMissing(sealed, version));
    const { head, taken, fault } = follow(ports.sha256, sealed, rest);
    if (fault !== undefined) faults.push(fault);
    if (taken.length > 0) heads.set(stream, head);
    // it is noted, and everything of it is sealed: an earlier sealer did not come to say so
    else if (fault === undefined) await ports.noteSealed(stream, head);
    for (const commit of taken) commits.push(commit);
  }
  return { commits, heads, faults, more: false };
};

const isMissing = ({ version: sealed, missing }: SealedHead, version: number): boolean =>
  version > sealed || missing.some(({ from, to }) => from <= version && version <= to);

/** Takes what follows from what is sealed, up to the first that does not. */
const follow = (
  sha256: Sha256,
  sealed: SealedHead,
  rest: readonly Commit[],
): { head: SealedHead; taken: Commit[]; fault: string | undefined } => {
  const taken: Commit[] = [];
  let head = sealed;
  for (const commit of rest) {
    const { stream, version } = commit;
    const broken = (reason: string) => ({ head, taken, fault: `${stream} version ${version} is not sealed: ${reason}` });
    if (commit.hash !== commitHash(sha256, commit)) return broken("its content was changed after it was written");
    if (version > head.version + 1) return broken(`version ${head.version + 1} is gone from the event table`);
    const next = sealedWith(head, commit);
    if ("reason" in next) return broken(next.reason);
    head = next;
    taken.push(commit);
  }
  const [gone] = head.missing;
  return {
    head,
    taken,
    fault: gone && `versions ${gone.from} to ${gone.to} of a stream that is sealed up to ${head.version} are gone from the event table`,
  };
};

const seal = async (
  ports: Ports,
  before: Seal | undefined,
  number: number,
  commits: readonly Commit[],
): Promise<ManifestByHeads | undefined> => {
  await checkKey(ports, before, number);
  const segment = await ports.openSegment();
  try {
    const sealed = sealing(ports.sha256);
    for (const commit of commits) {
      sealed.add(commit);
      await segment.write(JSON.stringify(commit));
    }
    const manifest: ManifestByHeads = {
      v: 2,
      number,
      ...sealed.end(),
      segment: await segment.end(number),
      previous: before === undefined ? null : sha256Hex(before.manifest),
      sealedAt: new Date(ports.now()).toISOString(),
    };
    return (await ports.store(number, await signed(ports, JSON.stringify(manifest)))) ? manifest : undefined;
  } finally {
    await segment.discard();
  }
};

const checkKey = async ({ keyName }: Ports, before: Seal | undefined, number: number): Promise<void> => {
  const changed = before && keyChange(before, number - 1, await keyName());
  if (changed !== undefined) throw new SealKeyChanged(`${changed}. Nothing was sealed: ${KEEP_KEY}`);
};

/** Says that a seal was signed by another key than the one that is here; only seals of version 2 name theirs for certain. */
export const keyChange = (seal: Seal, number: number, here: string): string | undefined =>
  seal.v !== 2 || seal.key === here ? undefined : `seal ${number} was signed by the key ${seal.key}, and here is another, ${here}`;

export const KEEP_KEY = "bring the key back (on this machine kms.json of the data folder, on AWS the alias of the key)";

const signed = async ({ keyName, sign }: Ports, manifest: string): Promise<Seal> => {
  const unsigned = { v: 2, manifest, key: await keyName() } as const;
  return { ...unsigned, signature: await sign(signedText(sha256Hex, unsigned), unsigned.key) };
};
