import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import { usageError } from "./failure.ts";

/**
 * Checks that a folder is a Next.js app that OpenNext can build, before anything is uploaded. Returns its full path.
 * @throws CliError (usage) that says what is missing
 */
export async function findApp(folder: string): Promise<string> {
  const path = resolve(folder);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory())
    throw usageError(
      found === undefined ? `There is no folder ${path}.` : `${path} is not a folder.`,
      "Give the folder of the app, for example `shiplog deploy ./web`.",
    );

  const dependencies = await dependenciesOf(path);
  if (!dependencies.has("next"))
    throw usageError(`${path} is not a Next.js app: its package.json does not depend on "next".`, "Give the folder of the app itself.");
  if (!dependencies.has("@opennextjs/aws"))
    throw usageError(
      `${path} cannot be built for AWS: its package.json does not depend on "@opennextjs/aws".`,
      `Run \`npm install --save-dev @opennextjs/aws\` there.`,
    );
  return path;
}

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
