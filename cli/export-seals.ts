import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { z } from "zod";
import type { Seals } from "../client/contract.ts";
import { SealManifest } from "../domain/kernel/seal.ts";
import type { Api } from "./api.ts";
import { CliError, exit } from "./failure.ts";
import { PUBLIC_KEY, SEALS } from "./verify-export.ts";

/**
 * Writes the public key, every seal and every segment into a folder, as `verifyExport` reads them. Answers how many seals, and what is in none.
 * A page's segments are read before the next page is asked for: their addresses are good for some minutes only.
 */
export async function exportSeals(api: Pick<Api, "seals">, folder: string): Promise<{ count: number; unsealed: Page["unsealed"] }> {
  let count = 0;
  let rest: Page["unsealed"] = null;
  for (let after: number | null = 0; after !== null; ) {
    const { publicKey, seals, next, unsealed }: Page = await api.seals(after);
    if (after === 0) {
      await mkdir(join(folder, SEALS), { recursive: true });
      await writeFile(join(folder, PUBLIC_KEY), publicKey);
    }
    for (const seal of seals) await exportSeal(seal, folder);
    count += seals.length;
    rest = unsealed;
    after = next;
  }
  return { count, unsealed: rest };
}

type Page = z.infer<typeof Seals>;

async function exportSeal({ segment, ...seal }: Page["seals"][number], folder: string): Promise<void> {
  const manifest = SealManifest.parse(JSON.parse(seal.manifest));
  const file = join(folder, manifest.segment.key);
  await mkdir(dirname(file), { recursive: true });
  const answer = await fetch(segment);
  if (!answer.ok || answer.body === null)
    throw new CliError(exit.unexpected, "segment.gone", `The segment ${manifest.segment.key} cannot be read (${answer.status}).`);
  await pipeline(Readable.fromWeb(answer.body as never), createWriteStream(file));
  await writeFile(join(folder, SEALS, `${manifest.number.toString().padStart(8, "0")}.json`), JSON.stringify(seal));
}
