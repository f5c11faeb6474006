import { randomUUID } from "node:crypto";
import { openAsBlob } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_SOURCE_BYTES } from "../client/contract.ts";
import type { Source } from "../domain/deployment/shapes.ts";
import { counted } from "../domain/kernel/counted.ts";
import { showBytes } from "../domain/wording.ts";
import { ArchiveRefused, listSource, type ZippedEntry, zipSource } from "../engine/zip/archive.ts";
import type { Api } from "./api.ts";
import type { Layout } from "./app-layout.ts";
import { packingRefused, sourceTooLarge } from "./check-source.ts";
import type { Context } from "./context.ts";
import { showDuration } from "./duration.ts";
import { CliError, exit } from "./failure.ts";
import { refusalOf } from "./finding.ts";
import { leftOutLines } from "./left-out.ts";
import { plain } from "./terminal.ts";
import { trackedEnvFiles } from "./tracked-env.ts";

/** A source that is where the engine wants it, and what is in it. */
export type Uploaded = {
  readonly source: Source;
  readonly entries: readonly ZippedEntry[];
  /** those `.env` files that git tracks */
  readonly envFiles: readonly string[];
};

/** Zips a folder and puts the zip where the engine wants it, unless the same source is there already. */
export async function uploadSource(
  { terminal, signal }: Context,
  api: Api,
  { root: folder, app }: Layout,
  site: string,
): Promise<Uploaded> {
  const room = await mkdtemp(join(tmpdir(), "shiplog-source-"));
  try {
    const begun = Date.now();
    const file = join(room, "source.zip");
    terminal.live(`packing ${folder}`);
    const { files: envFiles, note } = await trackedEnvFiles(folder);
    if (note !== undefined) terminal.note(`note: ${plain(note)}`);
    const zip = await zipSource(folder, file, { envFiles }).catch(refused(folder));
    for (const line of leftOutLines(zip.leftOut)) terminal.note(line);
    terminal.note(`source: ${counted(zip.files, "file")}, ${showBytes(zip.bytes)}, packed in ${showDuration(Date.now() - begun)}`);

    if (zip.bytes > MAX_SOURCE_BYTES)
      throw refusalOf([sourceTooLarge(folder, zip.bytes, (await listSource(folder, { envFiles })).files)], folder);

    const { source, upload } = await api.prepareSource(site, zip.sha256Hex, zip.bytes, randomUUID());
    if (upload === null) terminal.note("source: the same is there already, not uploaded again");
    else {
      const started = Date.now();
      terminal.live(`uploading ${showBytes(zip.bytes)}`);
      await put(upload, await openAsBlob(file), signal);
      terminal.note(`source: uploaded in ${showDuration(Date.now() - started)}`);
    }
    return { source: { ...source, ...(app !== undefined && { app }) }, entries: zip.entries, envFiles };
  } finally {
    terminal.live(null);
    await rm(room, { recursive: true, force: true });
  }
}

const refused = (folder: string) => (error: unknown) => {
  if (!(error instanceof ArchiveRefused)) throw error;
  throw refusalOf([packingRefused(folder, error)], folder);
};

const RETRIES_MS = [500, 2_000];

/** The address is signed: whoever has it may write this one object, so it is never printed. */
async function put({ url, headers }: { url: string; headers: Record<string, string> }, body: Blob, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const problem = await once();
    if (problem === undefined) return;
    const wait = RETRIES_MS[attempt];
    if (wait === undefined || !problem.passing)
      throw new CliError(exit.unexpected, "source.upload", `The source could not be uploaded to ${new URL(url).host}: ${problem.why}.`, {
        next: "Nothing was deployed. Try again.",
      });
    await sleep(wait, undefined, { signal });
  }

  async function once(): Promise<{ why: string; passing: boolean } | undefined> {
    try {
      const answer = await fetch(url, { method: "PUT", headers, body, signal });
      await answer.arrayBuffer();
      if (answer.ok) return undefined;
      return { why: `the store answered ${answer.status}`, passing: answer.status >= 500 || answer.status === 429 };
    } catch (error) {
      if (signal.aborted) throw error;
      return { why: (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message, passing: true };
    }
  }
}
