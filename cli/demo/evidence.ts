import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../api.ts";
import { exportSeals } from "../export-seals.ts";
import { type Verified, verifyExport } from "../verify-export.ts";

/** The newest minute is never sealed: something may still be on its way. */
const SETTLE_MS = 60_000;

/** The key that an auditor has: asked for before anything happened, not taken from what it is to verify. */
export const publicKeyOf = async (api: Api): Promise<string> => (await api.seals()).publicKey;

/**
 * Seals the log on demand as soon as what happened at a time (ms since 1970) can be sealed, exports it and verifies the export as `shiplog audit verify` does,
 * with nothing but the public key.
 */
export const verifySealed = async (api: Api, time: number, publicKey: string, signal: AbortSignal): Promise<Verified> => {
  // an empty answer is no error: another sealer may have been first
  for (const until = Date.now() + 2 * SETTLE_MS; Date.now() < until; await sleep(500, undefined, { signal }))
    if (time < Date.now() - SETTLE_MS && (await api.seal(randomUUID())) !== null) break;
  const folder = await mkdtemp(join(tmpdir(), "shiplog-demo-audit-"));
  try {
    await exportSeals(api, folder);
    return await verifyExport(folder, publicKey);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
