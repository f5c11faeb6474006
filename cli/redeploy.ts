import { existsSync } from "node:fs";
import { relative } from "node:path";
import { findConnection, type SiteSource } from "./connection.ts";
import type { Context } from "./context.ts";
import { siteSources } from "./site-sources.ts";

type Place = { readonly site: string; readonly environment: string };

/** What brings a change of variables to visitors, with the app's folder where it is known here. */
export const redeploy = ({ site, environment }: Place, sources: readonly SiteSource[]): string =>
  `shiplog deploy ${folderOf(site, sources) ?? "<dir>"} --site ${site} --env ${environment}`;

/** Where the sites' apps are, as it is known from the working folder: nothing where nobody says, for a hint fails no command. */
export function sourcesHere({ data }: Context): readonly SiteSource[] {
  try {
    return siteSources(findConnection(data, process.env, process.cwd()).sites, process.cwd(), process.env);
  } catch {
    return [];
  }
}

/** What deploys the first of the places that run here, and the folders of the others' apps. */
export function firstDeploy(places: readonly Place[], sources: readonly SiteSource[], data: string | undefined): string {
  const [first] = places;
  const folder = first === undefined ? undefined : folderOf(first.site, sources);
  const more = data === undefined ? "" : ` --data ${word(data)}`;
  if (first === undefined || folder === undefined) return `shiplog deploy <dir>${more}`;
  const own = places.filter(({ site }) => site === first.site);
  const isPlain = own.length === 1 || own.some(({ environment }) => environment === "production");
  const folders = new Map(places.map(({ site }) => [site, folderOf(site, sources) ?? "<dir>"]));
  const isAlone = [...folders.values()].filter((one) => one === folder).length === 1;
  const others = [...new Set(folders.values())].filter((one) => one !== folder);
  const command = isPlain && isAlone ? `shiplog deploy ${folder}` : redeploy(first, sources);
  return `${command}${more}${others.length === 0 ? "" : `  (or ${others.join(", ")})`}`;
}

/** As a shell takes it, from the working folder. */
function folderOf(site: string, sources: readonly SiteSource[]): string | undefined {
  const folder = sources.find((one) => one.site === site)?.folder;
  return folder === undefined || !existsSync(folder) ? undefined : word(relative(process.cwd(), folder) || ".");
}

const word = (text: string): string => (/^[\w./@+~-]+$/.test(text) && !/^[~-]/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
