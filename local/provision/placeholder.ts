import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placeholderCode } from "../../blueprint/site-resources.ts";
import { zipDirectory } from "../../engine/zip/archive.ts";

type Mode = Parameters<typeof placeholderCode>[0];
const made = new Map<Mode, Promise<Uint8Array>>();

/** The code of a site's function before the first release. */
export const placeholderZip = (mode: Mode = "BUFFERED"): Promise<Uint8Array> => {
  const zipped = made.get(mode) ?? zip(placeholderCode(mode));
  made.set(mode, zipped);
  return zipped;
};

const zip = async (code: string): Promise<Uint8Array> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-placeholder-"));
  try {
    await writeFile(join(folder, "index.mjs"), code);
    await zipDirectory(folder, `${folder}.zip`);
    return await readFile(`${folder}.zip`);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(`${folder}.zip`, { force: true });
  }
};
