import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Site } from "../blueprint/sites.ts";
import { parseSites } from "../blueprint/sites-file.ts";

/** The sites file: `shiplog.sites.json`, or what SHIPLOG_SITES names. Without one, the engine is deployed with no site yet. */
const file = resolve($cli.paths.root, process.env.SHIPLOG_SITES ?? "shiplog.sites.json");

export type DeclaredSite = Site & { readonly folder: string; readonly ownBuildspec: boolean; readonly publicEntries: readonly string[] };

/** CloudFront takes 75 behaviours; the others are the default, and those of images, data and static files. */
const MAX_PUBLIC_ENTRIES = 70;

const located = (site: Site): DeclaredSite => {
  const folder = resolve(dirname(file), site.source);
  const publicEntries = publicPatterns(join(folder, "public"), site.basePath);
  if (publicEntries.length > MAX_PUBLIC_ENTRIES)
    throw new Error(
      `the site "${site.name}" has ${publicEntries.length} entries in its public folder, and CloudFront takes ${MAX_PUBLIC_ENTRIES}: move them into folders`,
    );
  return { ...site, folder, ownBuildspec: site.build === undefined && existsSync(join(folder, "buildspec.yml")), publicEntries };
};

/** One pattern per top-level entry, as OpenNext has them: CloudFront must know which paths are files before it asks. */
const publicPatterns = (folder: string, basePath: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter(({ name }) => !name.startsWith(".") || name === ".well-known")
        .map((entry) => `${basePath}/${pattern(entry.name)}${entry.isDirectory() ? "/*" : ""}`)
        .sort()
    : [];

/** A pattern takes few characters, and paths come to CloudFront percent-encoded: the others become "any text". */
const pattern = (name: string): string => name.replace(/[^A-Za-z0-9_.$~@:+&-]+/g, "*");

export const declaredSites: readonly DeclaredSite[] = existsSync(file)
  ? parseSites(readFileSync(file, "utf8"), file).sites.map(located)
  : [];
