import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    packedFolder: string;
  }
}

/** One folder for the packages of a run: the first file that asks packs them, the others find them there. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-packed-"));
  provide("packedFolder", folder);
  return () => rm(folder, { recursive: true, force: true });
};
