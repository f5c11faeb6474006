import * as z from "zod";
import { sharedNames } from "./occupied-names.ts";
import { functionNames, siteResources } from "./site-resources.ts";
import { SitesFile } from "./sites.ts";

/** The declared sites cannot be used; the message says what to change. */
export class SitesRefused extends Error {
  override readonly name = "SitesRefused";
}

/**
 * Reads a sites file: the one door for the local engine, the infrastructure and the doctor.
 * @throws SitesRefused that names the file, the field and what to change
 */
export const parseSites = (text: string, file: string): SitesFile => {
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, "")); // editors on Windows begin a file with a byte order mark
  } catch (error) {
    throw new SitesRefused(`${file} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const parsed = SitesFile.safeParse(document);
  if (!parsed.success) throw new SitesRefused(`${file} is not a sites file:\n${z.prettifyError(parsed.error)}`);
  const long = longNames(parsed.data.sites);
  if (long.length > 0) throw new SitesRefused(`${file} declares names that are too long:\n${long.join("\n")}`);
  const shared = sharedNames(parsed.data.sites);
  if (shared.length > 0) throw new SitesRefused(`${file} declares names that meet:\n${shared.join("\n")}`);
  return parsed.data;
};

/** What Lambda and SQS take. Names are joined of those of the stage, where it has one, the site, the environment and more. */
const MAX_FUNCTION_NAME = 64;
const MAX_QUEUE_NAME = 80;

const longNames = (sites: SitesFile["sites"]): string[] =>
  sites.flatMap((site) =>
    site.environments.flatMap(({ name }) => [
      ...functionNames(site.name, name, site)
        .filter((one) => one.length > MAX_FUNCTION_NAME)
        .map((one) => `the function ${one} has ${one.length} characters, and Lambda takes ${MAX_FUNCTION_NAME}: take shorter names`),
      ...[siteResources(site.name, name).revalidationDeadLetters]
        .filter((one) => one.length > MAX_QUEUE_NAME)
        .map((one) => `the queue ${one} has ${one.length} characters, and SQS takes ${MAX_QUEUE_NAME}: take shorter names`),
    ]),
  );
