import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../cli/api.ts";
import { exportSeals } from "../cli/export-seals.ts";
import { verifyExport } from "../cli/verify-export.ts";
import type { Verified } from "../engine/archive/sealed-history.ts";

/** For the last commits to be told of: a seal has what was. */
const PATIENCE_MS = 10_000;

/** The key that an auditor has: asked for before anything happened, not taken from what it is to verify. */
export const publicKeyOf = async (api: Api): Promise<string> => (await api.seals()).publicKey;

/**
 * Seals the log on demand, exports it and verifies the export as `shiplog audit verify` does, with nothing but the public key.
 */
export const verifySealed = async (api: Api, publicKey: string, signal: AbortSignal): Promise<Verified> => {
  // an empty answer is no error: another sealer may have been first
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(500, undefined, { signal }))
    if ((await api.seal(randomUUID())) === null && (await api.seals()).unsealed?.commits === 0) break;
  const folder = await mkdtemp(join(tmpdir(), "shiplog-demo-audit-"));
  try {
    await exportSeals(api, folder);
    return await verifyExport(folder, publicKey);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
