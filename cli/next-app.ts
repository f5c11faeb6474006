import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Layout } from "./app-layout.ts";
import type { SiteSource } from "./connection.ts";
import { type About, examineApp } from "./examine-app.ts";
import { usageError } from "./failure.ts";
import { isError, refusalOf } from "./finding.ts";
import { readManifest } from "./manifest.ts";
import { declaredSite, declaredSites } from "./site-sources.ts";

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
  if (!(await readManifest(path)).wants.has("next"))
    throw usageError(`${path} is not a Next.js app: its package.json does not depend on "next".`, "Give the folder of the app itself.");
  return path;
}

/**
 * What is packed for the app's build. An app with a buildspec.yml of its own is packed alone, and installs as that says.
 * @param ownBuild whether the sites file says how it is built
 * @throws CliError (usage) where the build could not work
 */
export async function planBuild(app: string, ownBuild: boolean): Promise<Layout> {
  const { layout, findings } = await examineApp(app, { ownBuild: isOwnBuild(app, ownBuild), site: undefined });
  const errors = findings.filter(isError);
  if (errors.length > 0) throw refusalOf(errors, app);
  return layout;
}

/** Whether the app says itself how it is built: in the sites file, or by a buildspec.yml. */
export const isOwnBuild = (app: string, ownBuild: boolean): boolean => ownBuild || existsSync(join(app, "buildspec.yml"));

/** What sources and the sites file say of an app. @param meant the sites that it may be deployed to */
export async function aboutApp(
  app: string,
  { sources, meant }: { readonly sources: readonly SiteSource[]; readonly meant: readonly string[] },
): Promise<About> {
  const ownBuild = sources.some(({ site, ownBuild }) => ownBuild === true && meant.includes(site));
  return { ownBuild: isOwnBuild(app, ownBuild), site: await declaredSite(app, meant, declaredSites(app, process.env)) };
}
