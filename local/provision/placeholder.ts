import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PLACEHOLDER_CODE } from "../../blueprint/sites.ts";
import { zipDirectory } from "../../engine/zip/archive.ts";

let made: Promise<Uint8Array> | undefined;

/** The code of a site's function before the first release. */
export const placeholderZip = (): Promise<Uint8Array> => {
  made ??= zip();
  return made;
};

const zip = async (): Promise<Uint8Array> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-placeholder-"));
  try {
    await writeFile(join(folder, "index.mjs"), PLACEHOLDER_CODE);
    await zipDirectory(folder, `${folder}.zip`);
    return await readFile(`${folder}.zip`);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(`${folder}.zip`, { force: true });
  }
};
