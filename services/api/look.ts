import type * as z from "zod";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { functionNames, givenVariables } from "../../blueprint/site-resources.ts";
import type { OneEnvironment } from "../../client/contract.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { DeploymentId, deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { emptyEnvironment } from "../../domain/projections/environment-view.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { storeOf } from "../../engine/edge/live-row.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { digestOfKey } from "../../engine/open-next/guard.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

export type EnvironmentOf = z.infer<typeof OneEnvironment>["environment"];

/** What of an environment its declaration says, and no event. */
export const declaredOf = (place: SiteConfig) => ({
  url: place.url,
  functions: functionNames(place.site, place.environment, place),
  edgeKeys: place.originKeys.map(digestOfKey),
  edge: storeOf(place),
  declaredVariables: givenVariables(place),
});

export type Look = ReturnType<typeof look>;

/**
 * What is asked for by name or id. One deployment or environment is never stale: its row is brought up to the log's end
 * here, so that who has just given a command sees what it did. Lists are as the projection has them, a moment late.
 */
export const look = ({ config, read, views }: Pick<Ports, "config" | "read" | "views">) => {
  /** The declared environments that fit; a problem where what was named is not declared. */
  const places = (site?: string, environment?: string): readonly SiteConfig[] => {
    const found = config.sites.filter(
      (place) => (site ?? place.site) === place.site && (environment ?? place.environment) === place.environment,
    );
    if (found.length > 0 || (site === undefined && environment === undefined)) return found;
    const known = config.sites.map((place) => `${place.site}/${place.environment}`).join(", ");
    throw new Problem(
      404,
      "environment.unknown",
      `There is no environment ${site ?? "*"}/${environment ?? "*"}. Known: ${known || "none"}.`,
    );
  };

  const place = (site: string, environment: string): SiteConfig => {
    const [found] = places(site, environment);
    if (found === undefined) throw new Problem(404, "environment.unknown", `There is no environment ${site}/${environment}.`);
    return found;
  };

  const since = async (stream: string, version: number): Promise<Recorded[]> => (await read(stream, version)).flatMap(eventsOf);

  const deployment = async (id: string): Promise<DeploymentView> => {
    const row = await views.deployment(id);
    const view = foldRow("deployments", row, await since(deploymentStream(id), row?.version ?? 0));
    if (view === undefined) throw new Problem(404, "deployment.unknown", `There is no deployment ${id}.`);
    return view;
  };

  const environment = async (place: SiteConfig): Promise<EnvironmentOf> => {
    const { site, environment: name } = place;
    const row = (await views.environment(site, name)) ?? emptyEnvironment(site, name);
    const view = foldRow("environments", row, await since(environmentStream(site, name), row.version));
    return { ...(view ?? row), ...declaredOf(place) };
  };

  /** Many at once, as the projection has them. */
  const environments = async (places: readonly SiteConfig[]): Promise<EnvironmentOf[]> => {
    const rows = new Map((await views.environments(places)).map((row) => [`${row.site}/${row.environment}`, row]));
    return places.map((place) => {
      const { site, environment: name } = place;
      return { ...(rows.get(`${site}/${name}`) ?? emptyEnvironment(site, name)), ...declaredOf(place) };
    });
  };

  /** The full id that begins like this, with or without `dep_`. */
  const deploymentId = async (given: string): Promise<string> => {
    const id = `dep_${given.replace(/^dep_/i, "").toUpperCase()}`;
    if (DeploymentId.safeParse(id).success) return id;
    if (!/^dep_[0-9A-Z]{1,25}$/.test(id))
      throw new Problem(404, "deployment.unknown", `"${given.slice(0, 64)}" is not the id of a deployment, nor the beginning of one.`);
    const found = (await views.findDeployments(id)).map((view) => view.id).sort();
    if (found.length > 1) throw new Problem(409, "id.ambiguous", `Several deployments have an id that begins with "${given}".`, found);
    const [only] = found;
    if (only === undefined) throw new Problem(404, "deployment.unknown", `There is no deployment whose id begins with "${given}".`);
    return only;
  };

  return { places, place, deployment, environment, environments, deploymentId };
};
