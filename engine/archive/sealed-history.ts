import { createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Readable } from "node:stream";
import type { Commit } from "../../domain/kernel/chain.ts";
import {
  passedOverBySeals,
  Seal,
  type SealedHead,
  type SealFault,
  SealManifest,
  segmentChecker,
  signedText,
  successionFault,
} from "../../domain/kernel/seal.ts";
import { sha256, sha256Hex } from "../log/digest.ts";
import { commitIn, fetchSegment, linesOf, SegmentDamaged } from "./segment-file.ts";

/** Sealed history is not what was sealed. */
export class SealBroken extends Error {
  override readonly name = "SealBroken";
  readonly fault: SealFault;
  constructor(fault: SealFault, options?: ErrorOptions) {
    super(showSealFault(fault), options);
    this.fault = fault;
  }
}

/** Where sealed history lies: the archive of an engine, or an export's folder. */
export type SealedHistory = {
  /** every file of a seal, in the order of their names; read when it is asked for */
  seals(): AsyncIterable<SealFile>;
  /** the bytes of a segment; `undefined` where there is none of that key */
  open(key: string): Promise<Readable | undefined>;
};
/** `text`: `undefined` where the file is longer than any seal */
export type SealFile = { readonly name: string; readonly text: string | undefined };

/** Far above any seal: in so much it could name most of a million streams. */
const SEAL_BYTES_MAX = 128 * 1024 * 1024;
export const TOO_LONG = "this file is longer than any seal: Shiplog did not write it";

/** The text of a seal's file; `undefined` where it is longer than any seal: no more of it is read. */
export const sealTextOf = async (body: AsyncIterable<Buffer>, bytesMax = SEAL_BYTES_MAX): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
};

/** `undefined` where a PEM holds no Ed25519 key. */
export const publicKeyOf = (pem: string): KeyObject | undefined => {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
};

/** A fault as one line: where it is, and what. */
export const showSealFault = ({ seal, line, position, file, reason }: SealFault): string => {
  const where = [`seal ${seal}`, line !== undefined && `line ${line}`, position !== undefined && `position ${position}`];
  return `${where.filter(Boolean).join(", ")}: ${reason}${file === undefined ? "" : ` (${file})`}`;
};

/**
 * The manifest of every seal, one by one: each signed by that key, each following from the one before.
 *
 * @throws SealBroken
 */
export async function* verifiedManifests(history: Pick<SealedHistory, "seals">, key: KeyObject): AsyncGenerator<SealManifest> {
  let before: { manifest: SealManifest; digest: string } | undefined;
  for await (const { name, text } of history.seals()) {
    const number = (before?.manifest.number ?? 0) + 1;
    const broken = (reason: string): SealBroken => new SealBroken({ seal: number, file: name, reason });
    if (text === undefined) throw broken(TOO_LONG);
    const seal = sealIn(text);
    if (seal === undefined) throw broken("this file is not a seal, or it was damaged");
    if (!isSigned(seal, key)) throw broken("its signature is not of this key: it was changed, or another key signed it");
    const manifest = manifestIn(seal.manifest);
    if (manifest === undefined) throw broken("it is signed, and this release cannot read it: a newer one made it");
    const fault = successionFault(manifest, before);
    if (fault !== undefined) throw broken(fault);
    yield manifest;
    before = { manifest, digest: sha256Hex(seal.manifest) };
  }
}

/** The seal that a file holds; `undefined` where it holds none that this release knows. */
export const sealIn = (text: string): Seal | undefined => Seal.safeParse(parsed(text)).data;
const manifestIn = (text: string): SealManifest | undefined => SealManifest.safeParse(parsed(text)).data;

const isSigned = (seal: Seal, key: KeyObject): boolean => {
  const signature = Buffer.from(seal.signature, "base64");
  // the same bytes can be written in several ways, and only one of them is what was stored
  return signature.toString("base64") === seal.signature && verify(null, Buffer.from(signedText(sha256Hex, seal)), key, signature);
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What is sealed of each stream. */
export type SealedHeads = Map<string, SealedHead>;

/**
 * Checks every commit of one segment, and then its bytes. A line is in memory at a time, besides where each stream stands.
 *
 * @param known where streams stood before this segment; it is brought up to date where the whole segment is as it was sealed
 * @returns how many commits it has
 * @throws SealBroken that names the first bad line, where one is found
 */
export const verifySegment = async (history: Pick<SealedHistory, "open">, manifest: SealManifest, known: SealedHeads): Promise<number> => {
  const { number, segment } = manifest;
  let line = 0;
  const broken = (fault: Omit<SealFault, "seal" | "file">, options?: ErrorOptions): SealBroken =>
    new SealBroken({ ...fault, seal: number, file: segment.key }, options);
  try {
    const file = await fetchSegment(history.open, manifest);
    try {
      const reached: SealedHeads = new Map();
      const heads = { get: (stream: string) => reached.get(stream) ?? known.get(stream), set: reached.set.bind(reached) };
      const checker = segmentChecker(sha256, manifest, heads);
      for await (const lines of linesOf(file))
        for (const text of lines) {
          line += 1;
          const commit = commitIn(text);
          if (commit === undefined) throw broken({ line, reason: "this line is not a commit" });
          const fault = checker.check(commit);
          if (fault !== undefined) throw broken(fault);
        }
      const end = checker.end();
      if (end !== undefined) throw broken(end);
      // the lines are right; so must the bytes be, or something was hidden beside them
      if (file.digest !== segment.sha256)
        throw broken({ reason: "the segment's file is not the one that was sealed, though its commits are" });
      for (const [stream, head] of reached) known.set(stream, head);
      return line;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SegmentDamaged) throw broken({ line: line + 1, reason: error.message }, { cause: error });
    throw error;
  }
};

/** The commits of one segment as they are there; nothing is checked but that they can be read. @throws SealBroken */
export async function* sealedCommits({ open }: Pick<SealedHistory, "open">, { number, segment }: SealManifest): AsyncGenerator<Commit> {
  let line = 0;
  const broken = (reason: string): SealBroken => new SealBroken({ seal: number, line, file: segment.key, reason });
  try {
    const file = await fetchSegment(open, { segment });
    try {
      for await (const lines of linesOf(file))
        for (const text of lines) {
          line += 1;
          const commit = commitIn(text);
          if (commit === undefined) throw broken("this line is not a commit");
          yield commit;
        }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof SegmentDamaged ? broken(error.message) : error;
  }
}

/** What was verified, up to the first fault. */
export type Verified = {
  readonly seals: number;
  readonly commits: number;
  /** position up to which something is sealed; `null` where nothing is */
  readonly until: string | null;
  /** commits that seals by time passed over: the next seal has them */
  readonly passedOver: number;
  readonly fault: SealFault | null;
};

/**
 * Checks every seal with its segment, in order, and stops at the first fault. Memory grows with the streams, not with the log.
 *
 * @param known is given where each stream stands at the end of what was verified
 * @param pause called after each segment
 */
export const verifyHistory = async (
  history: SealedHistory,
  key: KeyObject,
  known: SealedHeads = new Map(),
  pause: (verified: Verified) => void = () => undefined,
): Promise<Verified> => {
  let verified: Verified = { seals: 0, commits: 0, until: null, passedOver: 0, fault: null };
  let v: SealManifest["v"] = 1;
  try {
    for await (const manifest of verifiedManifests(history, key)) {
      const commits = verified.commits + (await verifySegment(history, manifest, known));
      verified = { ...verified, seals: manifest.number, commits, until: later(verified.until, endOf(manifest)) };
      v = manifest.v;
      pause(verified);
    }
  } catch (error) {
    if (error instanceof SealBroken) return { ...verified, fault: error.fault };
    throw error;
  }
  const passedOver = passedOverBySeals(known);
  // a seal by heads has what those by time passed over
  const reason = `${passedOver} commits are in no seal, though later ones of their streams are`;
  return { ...verified, passedOver, fault: v !== 1 && passedOver > 0 ? { seal: verified.seals, reason } : null };
};

const endOf = (manifest: SealManifest): string | null => (manifest.v === 1 ? manifest.until : manifest.last);
const later = (one: string | null, other: string | null): string | null => ((other ?? "") > (one ?? "") ? other : one);
