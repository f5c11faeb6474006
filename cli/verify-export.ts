import { createHash, createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Commit, Sha256 } from "../domain/kernel/chain.ts";
import {
  passedOverBySeals,
  Seal,
  type SealedHead,
  type SealFault,
  SealManifest,
  segmentChecker,
  signedText,
} from "../domain/kernel/seal.ts";
import { usageError } from "./failure.ts";

const sha256Hex: Sha256 = (text) => hash("sha256", text, "hex");

export const PUBLIC_KEY = "public-key.pem";
export const SEALS = "seals";

export type Verified = {
  readonly seals: number;
  readonly commits: number;
  /** position up to which something is sealed */
  readonly until: string | null;
  /** commits that seals by time passed over: the next seal has them */
  readonly passedOver: number;
  readonly fault: SealFault | null;
};

const sha256 = (text: string): string => hash("sha256", text, "base64url");

/**
 * Checks an export without asking anybody: every signature, the order of the seals, every commit of every segment, and
 * the end of each. Stops at the first fault. One line is in memory at a time, besides where each stream stands.
 *
 * @param folder holds `seals/*.json` and the segments under the keys that the seals name
 * @param publicKey PEM; the export's own copy proves only that the export agrees with itself
 */
export async function verifyExport(folder: string, publicKey: string): Promise<Verified> {
  const key = keyOf(publicKey);
  const files = await readdir(join(folder, SEALS)).catch(() => {
    throw usageError(`There are no seals in ${folder}.`, "Name a folder that `shiplog audit export` wrote.");
  });
  const known = new Map<string, SealedHead>();
  let until: string | null = null;
  let commits = 0;
  let before: { manifest: SealManifest; text: string } | undefined;
  const result = (fault: SealFault | null): Verified => ({
    seals: before?.manifest.number ?? 0,
    commits,
    until,
    passedOver: passedOverBySeals(known),
    fault,
  });

  for (const file of files.filter((name) => name.endsWith(".json")).sort()) {
    const expected = (before?.manifest.number ?? 0) + 1;
    const fault = (reason: string): Verified => result({ seal: expected, reason });
    const seal = Seal.safeParse(await json(join(folder, SEALS, file)));
    if (!seal.success) return fault(`${file} is not a seal`);
    const { manifest: text, signature } = seal.data;
    if (!verify(null, Buffer.from(signedText(sha256Hex, seal.data)), key, Buffer.from(signature, "base64")))
      return fault("its signature is not of this key: it was changed, or another key signed it");
    const manifest = SealManifest.parse(JSON.parse(text));
    if (manifest.number !== expected) return fault(`seal ${expected} is missing: ${manifest.number} follows`);
    if (manifest.previous !== (before === undefined ? null : sha256Hex(before.text)))
      return fault("it does not follow from the seal before it");
    if (before?.manifest.v === 1 && manifest.v === 1 && manifest.since !== before.manifest.until)
      return fault("it does not begin where the seal before it ended");

    const found = await checkSegment(folder, manifest, known);
    commits += found.commits;
    if (found.fault !== undefined) return result(found.fault);
    before = { manifest, text };
    const end = manifest.v === 1 ? manifest.until : manifest.last;
    if (end !== null && end > (until ?? "")) until = end;
  }
  const passedOver = passedOverBySeals(known);
  if (before?.manifest.v === 2 && passedOver > 0)
    return result({ seal: before.manifest.number, reason: `${passedOver} commits are in no seal, though later ones of their streams are` });
  return result(before === undefined ? { seal: 1, reason: "there is no seal" } : null);
}

/** What was verified, or the first bad place, as one line. */
export const showVerified = ({ seals, commits, until, passedOver, fault }: Verified): string => {
  if (fault === null) {
    const late = passedOver === 0 ? "" : `; not sealed: ${passedOver} commits that came late for their seals, which the next seal has`;
    return `verified: ${commits} commits in ${seals === 1 ? "1 seal" : `${seals} seals`}, up to ${until === null ? "-" : timeOf(until)}${late}`;
  }
  const where = [`seal ${fault.seal}`, fault.line && `line ${fault.line}`, fault.position && `position ${fault.position}`]
    .filter(Boolean)
    .join(", ");
  return `NOT VERIFIED: ${where}: ${fault.reason}`;
};

/** The time of a position. */
export const timeOf = (position: string): string => new Date(Number(position)).toISOString();

async function checkSegment(
  folder: string,
  manifest: SealManifest,
  known: Map<string, SealedHead>,
): Promise<{ commits: number; fault?: SealFault }> {
  const file = join(folder, manifest.segment.key);
  const checker = segmentChecker(sha256, manifest, known);
  let commits = 0;
  try {
    const unpacked = createGunzip();
    // a file that cannot be read ends what is unpacked with the same error, and so the loop
    pipeline(createReadStream(file), unpacked).catch(() => undefined);
    const lines = createInterface({ input: unpacked, crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) {
      commits += 1;
      const commit = parse(line);
      if (commit === undefined) return { commits, fault: { seal: manifest.number, line: commits, reason: "this line is not a commit" } };
      const fault = checker.check(commit);
      if (fault !== undefined) return { commits, fault };
    }
  } catch (error) {
    return {
      commits,
      fault: {
        seal: manifest.number,
        line: commits + 1,
        reason: `the segment ${manifest.segment.key} cannot be read: ${(error as Error).message}`,
      },
    };
  }
  const end = checker.end();
  if (end !== undefined) return { commits, fault: end };
  // the lines are right; so must the bytes be, or something was hidden beside them
  const digest = createHash("sha256");
  await pipeline(createReadStream(file), digest);
  if (digest.digest("hex") !== manifest.segment.sha256)
    return {
      commits,
      fault: { seal: manifest.number, reason: "the segment's file is not the one that was sealed, though its commits are" },
    };
  return { commits };
}

function keyOf(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // said below
  }
  throw usageError("The public key is not an Ed25519 key in PEM.", "Take the one that the engine gave when the log was first sealed.");
}

const parse = (line: string): Commit | undefined => {
  try {
    const commit = JSON.parse(line) as Commit;
    return typeof commit.stream === "string" && typeof commit.position === "string" && typeof commit.body === "string" ? commit : undefined;
  } catch {
    return undefined;
  }
};

const json = async (file: string): Promise<unknown> => {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
};
