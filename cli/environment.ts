import type { z } from "zod";
import type { ManyEnvironments } from "../client/contract.ts";
import type { Api } from "./api.ts";
import { CliError, usageError } from "./failure.ts";

/** An environment as the API shows it. */
export type Environment = z.infer<typeof ManyEnvironments>["environments"][number];

/** What the person given about where. */
export type Whereabouts = { readonly site?: string | undefined; readonly env?: string | undefined };

/** `web/production`, or a site alone, from the command line, beside --site and --env. */
export function whereabouts(place: string | undefined, options: Whereabouts): Whereabouts {
  if (place === undefined) return { site: options.site, env: options.env };
  if (options.site !== undefined || options.env !== undefined)
    throw usageError(`"${place}" and --site or --env both say where.`, "Give one of them.");
  if (/^dep_/i.test(place))
    throw usageError(
      `"${place}" is a deployment, and this is asked of an environment.`,
      `Write <site>/<environment>, for example web/production. What became of the deployment:  shiplog inspect ${place}`,
    );
  const [site, env, more] = place.split("/");
  if (!site || env === "" || more !== undefined)
    throw usageError(`"${place}" is not an environment.`, "Write <site>/<environment>, for example web/production, or a site.");
  return { site, env };
}

/**
 * The one environment that is meant. What was not given is taken from what there is: the only site, the only environment
 * of a site, else `production`.
 * @throws CliError (usage) that lists the choices
 */
export async function resolveEnvironment(api: Api, given: Whereabouts): Promise<Environment> {
  const all = await api.environments().catch(async (error: unknown) => {
    await throwIfNoRule(api, given);
    throw error;
  });
  if (all.length === 0) throw usageError("No site is declared.", "Add one to the sites file, then start the engine again.");

  const site = given.site ?? onlyOf(all, "site");
  if (site === undefined) throw choose("Shiplog has several sites: say which with --site.", all);
  const environments = all.filter((entry) => entry.site === site);
  if (environments.every(({ environment }) => environment !== given.env)) await throwIfNoRule(api, given);
  if (environments.length === 0) throw choose(`There is no site "${site}".${meant(site, all)}`, all);

  const name = given.env ?? onlyOf(environments, "environment") ?? "production";
  const environment = environments.find((entry) => entry.environment === name);
  if (environment !== undefined) return environment;
  if (given.env === undefined) throw choose(`Site "${site}" has several environments: say which with --env.`, environments);
  throw choose(`Site "${site}" has no environment "${name}".`, environments);
}

/** A run of GitHub Actions sees only where it may deploy to: of what was named, the engine says which rule it does not fit. */
async function throwIfNoRule(api: Api, { site, env }: Whereabouts): Promise<void> {
  if (site === undefined || env === undefined) return;
  await api.environment(site, env).catch((error: unknown) => {
    if (error instanceof CliError && error.code === "github.rule") throw error;
  });
}

/** `web/production` */
export const environmentName = (environment: { readonly site: string; readonly environment: string }): string =>
  `${environment.site}/${environment.environment}`;

const onlyOf = (list: readonly Environment[], field: "site" | "environment"): string | undefined => {
  const values = new Set(list.map((entry) => entry[field]));
  return values.size === 1 ? list[0]?.[field] : undefined;
};

/** An environment's name alone names no place. */
const meant = (name: string, all: readonly Environment[]): string => {
  const places = all.filter(({ environment }) => environment === name).map(environmentName);
  return places.length === 1 ? ` Did you mean ${places[0]}?` : "";
};

const choose = (message: string, list: readonly Environment[]): CliError =>
  usageError(message, `Known: ${list.map(environmentName).join(", ")}`);
