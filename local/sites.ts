import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Site, type SitesFile } from "../blueprint/sites.ts";
import { parseSites, SitesRefused } from "../blueprint/sites-file.ts";

export const SITES_FILE = "shiplog.sites.json";

/** A site whose source is an absolute folder. */
export type LocalSite = Site & { readonly folder: string };

/** The architecture of this machine, since a site's functions run on it. */
const ARCHITECTURE = process.arch === "arm64" ? "arm64" : "x86_64";

type Where = { readonly appDir?: string | undefined; readonly sitesFile?: string | undefined };
/** What a sites file declares, and where its sites are on this machine. */
export type LocalSites = { readonly sites: LocalSite[]; readonly github?: SitesFile["github"] };

/**
 * The sites of a development server: one app without any file, or a sites file (default: the one in the working folder).
 * Every site runs with the machine's own architecture here.
 */
export const readSitesFile = async ({ appDir, sitesFile }: Where): Promise<LocalSites> => {
  if (appDir !== undefined) return { sites: [siteOfApp(resolve(appDir))] };
  const file = resolve(sitesFile ?? SITES_FILE);
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") throw new SitesRefused(`there is no ${file}: name an app with --app DIR, or declare sites in that file`);
    throw new SitesRefused(`${file} cannot be read (${cause.code}): it must be a file that this user may read`, { cause });
  });
  const { sites, github } = parseSites(text, file);
  return { sites: sites.map((site) => located({ ...site, architecture: ARCHITECTURE }, dirname(file))), github };
};

export const readSites = async (where: Where): Promise<LocalSite[]> => (await readSitesFile(where)).sites;

const siteOfApp = (folder: string): LocalSite => {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 20)
    .replace(/-+$/, "");
  const site = Site.parse({
    name: name || "app",
    source: folder,
    environments: [{ name: "production" }],
    architecture: ARCHITECTURE,
  });
  return located(site, "/");
};

const located = (site: Site, base: string): LocalSite => {
  const folder = resolve(base, site.source);
  if (!existsSync(join(folder, "package.json")))
    throw new SitesRefused(`the site "${site.name}" has its source in ${folder}, which has no package.json`);
  return { ...site, folder };
};
