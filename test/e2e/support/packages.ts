import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { sh } from "../../support/made-apps.ts";

const ROOT = join(import.meta.dirname, "../../..");

export type Packages = { readonly folder: string; readonly engine: string; readonly client: string };

/** The tarballs as `npm run build` makes them. They are packed once a run. */
export const packages = async (): Promise<Packages> => {
  const folder = inject("packedFolder");
  const find = async (part: string): Promise<string | undefined> =>
    (await readdir(folder)).find((name) => name.endsWith(".tgz") && name.includes(part));
  if ((await find(ENGINE)) === undefined || (await find(CLIENT)) === undefined)
    await sh(ROOT, `'${process.execPath}' scripts/build.ts '${folder}'`);
  const [engine, client] = [await find(ENGINE), await find(CLIENT)];
  if (engine === undefined || client === undefined) throw new Error(`scripts/build.ts packed no two tarballs into ${folder}`);
  return { folder, engine: join(folder, engine), client: join(folder, client) };
};
const [ENGINE, CLIENT] = ["-shiplog-", "-cli-"];
