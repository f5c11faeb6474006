import { existsSync, readFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Site } from "../blueprint/sites.ts";
import { parseSites, SitesRefused } from "../blueprint/sites-file.ts";
import type { SiteSource } from "./connection.ts";
import { usageError } from "./failure.ts";

export const SITES_FILE = "shiplog.sites.json";

/**
 * Where the sites' apps are on this machine: as the local engine tells it, else as the sites file says that SHIPLOG_SITES
 * names or that is nearest to the app, from its folder upward. Empty where nobody says.
 * @throws CliError (usage) where that file cannot be used
 */
export function siteSources(
  told: readonly SiteSource[] | undefined,
  app: string,
  environment: Readonly<Record<string, string | undefined>>,
): readonly SiteSource[] {
  if (told !== undefined) return told;
  return declaredSites(app, environment).map(({ site, folder }) => ({ site: site.name, folder, ownBuild: site.build !== undefined }));
}

/** A site as a sites file declares it, and its app's folder. */
export type DeclaredSite = { readonly site: Site; readonly folder: string };

/** The sites of the file that SHIPLOG_SITES names or that is nearest to the app. @throws CliError (usage) where it cannot be used */
export function declaredSites(app: string, environment: Readonly<Record<string, string | undefined>>): readonly DeclaredSite[] {
  const { SHIPLOG_SITES: named } = environment;
  const file = named === "none" ? undefined : named ? resolve(named) : nearestSitesFile(app);
  if (file === undefined) return [];
  try {
    return parseSites(readFileSync(file, "utf8"), file).sites.map((site) => ({ site, folder: resolve(dirname(file), site.source) }));
  } catch (error) {
    if (error instanceof SitesRefused) throw usageError(`${error.message}.`);
    throw usageError(`${file} cannot be read: ${(error as Error).message}.`);
  }
}

/** What a sites file declares for this folder, under one of these names. */
export async function declaredSite(app: string, names: readonly string[], all: readonly DeclaredSite[]): Promise<Site | undefined> {
  const here = await realpath(app);
  for (const { site, folder } of all) if (names.includes(site.name) && (await realpath(folder).catch(() => folder)) === here) return site;
  return undefined;
}

/** The sites whose source is this folder, by whatever path. */
export async function sitesOf(app: string, sources: readonly SiteSource[]): Promise<string[]> {
  const here = await realpath(app);
  const real = await Promise.all(sources.map(async ({ site, folder }) => ({ site, folder: await realpath(folder).catch(() => folder) })));
  return real.filter(({ folder }) => folder === here).map(({ site }) => site);
}

/** The path of the sites file in the folder or above it. */
export function nearestSitesFile(app: string): string | undefined {
  for (let here = app; ; here = dirname(here)) {
    if (existsSync(join(here, SITES_FILE))) return join(here, SITES_FILE);
    if (here === dirname(here)) return undefined;
  }
}
