import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SealManifest } from "../domain/kernel/seal.ts";
import type { Api } from "./api.ts";
import { CliError, exit } from "./failure.ts";
import { PUBLIC_KEY, SEALS } from "./verify-export.ts";

/** Writes the public key, every seal and every segment into a folder, as `verifyExport` reads them. Answers how many seals. */
export async function exportSeals(api: Pick<Api, "seals">, folder: string): Promise<number> {
  const { publicKey, seals } = await api.seals();
  await mkdir(join(folder, SEALS), { recursive: true });
  await writeFile(join(folder, PUBLIC_KEY), publicKey);
  for (const { segment, ...seal } of seals) {
    const manifest = SealManifest.parse(JSON.parse(seal.manifest));
    const file = join(folder, manifest.segment.key);
    await mkdir(dirname(file), { recursive: true });
    const answer = await fetch(segment);
    if (!answer.ok || answer.body === null)
      throw new CliError(exit.unexpected, "segment.gone", `The segment ${manifest.segment.key} cannot be read (${answer.status}).`);
    await pipeline(Readable.fromWeb(answer.body as never), createWriteStream(file));
    await writeFile(join(folder, SEALS, `${manifest.number.toString().padStart(8, "0")}.json`), JSON.stringify(seal));
  }
  return seals.length;
}
