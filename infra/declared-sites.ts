import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Site, SitesFile } from "../blueprint/sites.ts";
import { parseSites } from "../blueprint/sites-file.ts";

/** The sites file: `shiplog.sites.json`, or what SHIPLOG_SITES names; `none` deploys the engine with no site. */
const named = process.env.SHIPLOG_SITES || "shiplog.sites.json";
const file = resolve($cli.paths.root, named);

export type DeclaredSite = Site & {
  /** whether the app's own folder has a buildspec.yml; unknown where the folder is not here, as of an app in another repository */
  readonly ownBuildspec: boolean | "unknown";
};

const located = (site: Site): DeclaredSite => {
  const folder = resolve(dirname(file), site.source);
  if (site.build !== undefined) return { ...site, ownBuildspec: false };
  return { ...site, ownBuildspec: existsSync(folder) ? existsSync(join(folder, "buildspec.yml")) : "unknown" };
};

const textOf = (path: string): string => {
  // what is declared no more is removed: a file that was forgotten must not take every site away
  if (!existsSync(path))
    throw new Error(`there is no ${path}: declare the sites there, or deploy the engine without any: SHIPLOG_SITES=none`);
  return readFileSync(path, "utf8");
};

const declared: SitesFile = named === "none" ? { sites: [] } : parseSites(textOf(file), file);

export const declaredSites: readonly DeclaredSite[] = declared.sites.map(located);
/** Whose tokens are taken of runs of GitHub Actions, where it is not GitHub's own service. */
export const declaredGithub = declared.github;
