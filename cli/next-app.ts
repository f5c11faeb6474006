import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import { type Layout, layoutOf, managerOf } from "./app-layout.ts";
import { usageError } from "./failure.ts";
import { checkOpenNextConfig } from "./open-next-config.ts";

/**
 * Checks that a folder is a Next.js app, before anything else is done. Returns its full path.
 * @throws CliError (usage) that says what is missing
 */
export async function findApp(folder: string): Promise<string> {
  if (folder.trim() === "") throw usageError("The folder's name is empty.", "Is a variable in the command not set?");
  const path = resolve(folder);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory())
    throw usageError(
      found === undefined ? `There is no folder ${path}.` : `${path} is not a folder.`,
      "Give the folder of the app, for example `shiplog deploy ./web`.",
    );
  if (!(await dependenciesOf(path)).has("next"))
    throw usageError(`${path} is not a Next.js app: its package.json does not depend on "next".`, "Give the folder of the app itself.");
  return path;
}

/**
 * What is packed for the app's build. An app with a buildspec.yml of its own is packed alone, and installs as that says.
 * @param ownBuild whether the sites file says how it is built
 * @throws CliError (usage) where the build could not work
 */
export async function planBuild(app: string, ownBuild: boolean): Promise<Layout> {
  const isOwn = isOwnBuild(app, ownBuild);
  const layout = isOwn ? { root: app } : layoutOf(app);
  if (!(await hasOpenNext([app, layout.root])))
    throw usageError(
      `${app} cannot be built for AWS: its package.json does not depend on "@opennextjs/aws".`,
      `Run \`${ADD[managerOf(layout.root)]} @opennextjs/aws\` there.`,
    );
  if (isOwn) return layout;
  if (!(await readdir(app)).some((name) => name.startsWith("next.config.")))
    throw usageError(
      `${app} has no next.config file, and OpenNext builds no app without one.`,
      "Make an empty one: echo 'export default {};' > next.config.mjs",
    );
  await checkOpenNextConfig(app);
  return layout;
}

/** Whether the app says itself how it is built: in the sites file, or by a buildspec.yml. */
export const isOwnBuild = (app: string, ownBuild: boolean): boolean => ownBuild || existsSync(join(app, "buildspec.yml"));

const hasOpenNext = async (folders: readonly string[]): Promise<boolean> => {
  for (const folder of new Set(folders)) if ((await dependenciesOf(folder)).has("@opennextjs/aws")) return true;
  return false;
};

const ADD = { npm: "npm install --save-dev", pnpm: "pnpm add --save-dev", yarn: "yarn add --dev", bun: "bun add --dev" };

const Dependencies = z.record(z.string(), z.unknown()).default({});
const PackageFile = z.object({ dependencies: Dependencies, devDependencies: Dependencies });

async function dependenciesOf(path: string): Promise<ReadonlySet<string>> {
  const file = join(path, "package.json");
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw usageError(`${path} is not a Next.js app: it has no package.json.`, "Give the folder of the app itself.");
  try {
    const text = (await readFile(file, "utf8")).replace(/^\uFEFF/, ""); // npm passes over a byte order mark too
    const parsed = PackageFile.safeParse(JSON.parse(text));
    if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
    return new Set([...Object.keys(parsed.data.dependencies), ...Object.keys(parsed.data.devDependencies)]);
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as Error).message}.`, "Correct it, then deploy again.");
  }
}
