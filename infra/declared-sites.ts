import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Site, SitesFile } from "../blueprint/sites.ts";
import { parseSites } from "../blueprint/sites-file.ts";

/** The sites file: `shiplog.sites.json`, or what SHIPLOG_SITES names; `none` deploys the engine with no site. */
const named = process.env.SHIPLOG_SITES || "shiplog.sites.json";
const file = resolve($cli.paths.root, named);

export type DeclaredSite = Site & { readonly folder: string; readonly ownBuildspec: boolean; readonly publicEntries: readonly string[] };

/** CloudFront takes 75 behaviours; the others are the default, and those of images, data and static files. */
const MAX_PATTERNS = 70;

const located = (site: Site): DeclaredSite => {
  const folder = resolve(dirname(file), site.source);
  // without its files the CDN would be told of none, and those of a live site would be gone
  if (!existsSync(folder))
    throw new Error(`the site "${site.name}" has its source in ${folder}, and there is no such folder: check the app out there`);
  const publicEntries = publicPatterns(join(folder, "public"), site.basePath);
  const split = Object.values(site.functions).flat().length;
  if (publicEntries.length + split > MAX_PATTERNS)
    throw new Error(
      `the site "${site.name}" has ${publicEntries.length} entries in its public folder${split === 0 ? "" : ` and ${split} paths of split functions`}, and CloudFront takes ${MAX_PATTERNS}: move public files into folders`,
    );
  const twice = Object.values(site.functions)
    .flat()
    .find((pattern) => publicEntries.includes(`${site.basePath}/${pattern}`));
  if (twice !== undefined)
    throw new Error(
      `the site "${site.name}" sends ${twice} to a split function and has it in its public folder, and CloudFront sends it to one place alone: rename one of them`,
    );
  return { ...site, folder, ownBuildspec: site.build === undefined && existsSync(join(folder, "buildspec.yml")), publicEntries };
};

/** One pattern per top-level entry, as OpenNext has them: CloudFront must know which paths are files before it asks. */
const publicPatterns = (folder: string, basePath: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter(({ name }) => !name.startsWith(".") || name === ".well-known")
        .flatMap(({ name }) => patterns(folder, name, statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() ?? false))
        .map((path) => `${basePath}${path}`)
        .sort()
    : [];

/**
 * A pattern takes few characters, and paths come to CloudFront percent-encoded, brackets with some clients and not with
 * others: each character that it does not take becomes "any one". A page could match that too, so the name must end as no
 * page does: in an extension that stands in the pattern.
 */
const patterns = (folder: string, name: string, isFolder: boolean): string[] => {
  const byCode = encodeURIComponent(name).replace(/%(24|26|2B|3A|40)/g, decodeURIComponent);
  const written = [byCode, byCode.replace(/%(5B|5D|7C)/g, "?")].map((path) =>
    path.replace(/%../g, "???").replace(/[^A-Za-z0-9_.$~@:+&-]/g, "?"),
  );
  if (written.some((path) => path.includes("?")) && (isFolder || !/\.[A-Za-z0-9]+$/.test(byCode)))
    throw new Error(
      `${join(folder, name)} cannot be told from a page by CloudFront, whose patterns take letters, digits and _ . $ ~ @ : + & - alone: move it into a folder of public/ with a name of these`,
    );
  return [...new Set(written)].map((path) => (isFolder ? `/${path}/*` : `/${path}`));
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
