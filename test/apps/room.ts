import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** The version that apps are made with: what the registry has whole, for every platform. */
export const NEXT_16 = "16.4.5";
const CREATE_NEXT_APP = "16.4.3";

/** A command as a person types it. Throws with what it printed. */
export const sh = async (folder: string, command: string): Promise<string> => {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config_(?!registry)|lifecycle|package)/.test(name)),
  );
  const ran = await promisify(execFile)("sh", ["-c", command], {
    cwd: folder,
    env: { ...environment, CI: "1" },
    maxBuffer: 64 * 1024 ** 2,
  });
  return ran.stdout;
};

export type Room = { readonly folder: string; close(): Promise<void> };
export const openRoom = async (): Promise<Room> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-apps-"));
  return { folder, close: () => rm(folder, { recursive: true, force: true }) };
};

/** What `create-next-app --empty` writes (its other template asks Google for fonts), nothing of it changed but the version of Next.js, with OpenNext among its packages. */
export const createNextApp = async (folder: string, name: string, next: string): Promise<string> => {
  await sh(
    folder,
    `npx --yes create-next-app@${CREATE_NEXT_APP} ${name} --ts --no-eslint --no-tailwind --app --empty --no-src-dir --import-alias '@/*' --disable-git --skip-install --use-npm --yes`,
  );
  const app = join(folder, name);
  const file = join(app, "package.json");
  const manifest = JSON.parse(await readFile(file, "utf8"));
  manifest.dependencies.next = next;
  manifest.devDependencies = { ...manifest.devDependencies, "@opennextjs/aws": "^4.1.12", typescript: "^5" };
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
  return app;
};
