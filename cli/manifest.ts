import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { usageError } from "./failure.ts";

const Dependencies = z.record(z.string(), z.unknown()).default({});
const PackageFile = z.object({
  dependencies: Dependencies,
  devDependencies: Dependencies,
  engines: z.object({ node: z.string().optional() }).optional().catch(undefined),
  packageManager: z.string().optional().catch(undefined),
});

/** What a package.json says of what is installed, and with what. */
export type Manifest = {
  readonly file: string;
  readonly text: string;
  /** name → range, of `dependencies` and `devDependencies` */
  readonly wants: ReadonlyMap<string, string>;
  /** `engines.node` */
  readonly node: string | undefined;
  readonly packageManager: string | undefined;
};

/** @throws CliError (usage) where the folder has no package.json, or none that can be read */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = join(folder, "package.json");
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw usageError(`${folder} is not a Next.js app: it has no package.json.`, "Give the folder of the app itself.");
  try {
    const text = await readFile(file, "utf8");
    const parsed = PackageFile.safeParse(JSON.parse(text.replace(/^\uFEFF/, ""))); // npm passes over a byte order mark too
    if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
    const { dependencies, devDependencies, engines, packageManager } = parsed.data;
    const wants = Object.entries({ ...devDependencies, ...dependencies }).map(([name, range]) => [name, String(range)] as const);
    return { file, text, wants: new Map(wants), node: engines?.node, packageManager };
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as Error).message}.`, "Correct it, then try again.");
  }
}
