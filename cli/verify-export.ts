import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { counted } from "../domain/kernel/counted.ts";
import {
  publicKeyOf,
  type SealedHistory,
  sealTextOf,
  showSealFault,
  type Verified,
  verifyHistory,
} from "../engine/archive/sealed-history.ts";
import { CliError, exit, usageError } from "./failure.ts";

export const PUBLIC_KEY = "public-key.pem";
export const SEALS = "seals";

/**
 * Checks an export without asking anybody: every signature, the order of the seals, every commit of every segment, and
 * the end of each. Stops at the first fault. One line is in memory at a time, besides where each stream stands.
 *
 * @param folder holds `seals/*.json` and the segments under the keys that the seals name
 * @param publicKey PEM; the export's own copy proves only that the export agrees with itself
 */
export async function verifyExport(folder: string, publicKey: string): Promise<Verified> {
  const key = publicKeyOf(publicKey);
  if (key === undefined)
    throw usageError("The public key is not an Ed25519 key in PEM.", "Take the one that the engine gave when the log was first sealed.");
  const history = await exportedHistory(folder);
  try {
    const verified = await verifyHistory(history, key);
    return verified.seals > 0 || verified.fault !== null ? verified : { ...verified, fault: { seal: 1, reason: "there is no seal" } };
  } catch (error) {
    throw unreadable(error);
  }
}

/** A file of the export that the file system does not give out; anything else is a fault of ours. */
function unreadable(error: unknown): unknown {
  if (!(error instanceof Error && "syscall" in error)) return error;
  return new CliError(exit.failed, "export.unreadable", `The export is not verified: a file of it cannot be read: ${error.message}.`, {
    next: "Check who may read it, or export again.",
    cause: error,
  });
}

/** What `shiplog audit export` wrote. */
async function exportedHistory(folder: string): Promise<SealedHistory> {
  const files = await readdir(join(folder, SEALS)).catch(() => {
    throw usageError(`There are no seals in ${folder}.`, "Name a folder that `shiplog audit export` wrote.");
  });
  return {
    seals: async function* () {
      for (const file of files.filter((name) => name.endsWith(".json")).sort()) {
        const name = `${SEALS}/${file}`;
        yield { name, text: await sealTextOf(createReadStream(join(folder, name))) };
      }
    },
    open: async (key) =>
      (await stat(join(folder, key)).catch(() => undefined))?.isFile() ? createReadStream(join(folder, key)) : undefined,
  };
}

/** What was verified, or the first fault, as one line. */
export const showVerified = ({ seals, commits, until, passedOver, fault }: Verified): string => {
  if (fault !== null) return `NOT VERIFIED: ${showSealFault(fault)}`;
  const late =
    passedOver === 0 ? "" : `; not sealed: ${counted(passedOver, "commit")} that came late for their seals, which the next seal has`;
  return `verified: ${counted(commits, "commit")} in ${counted(seals, "seal")}, up to ${until === null ? "-" : timeOf(until)}${late}`;
};

/** The time of a position. */
export const timeOf = (position: string): string => new Date(Number(position)).toISOString();
