import type { z } from "zod";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { ListDeployments } from "../../client/contract.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { type Listed, mergedLists, newestFirst } from "../../engine/views/deployment-rows.ts";
import type { Views } from "../../engine/views/views.ts";
import type { Look } from "./look.ts";
import { momentOf } from "./moment.ts";
import type { past } from "./past.ts";
import { Problem } from "./problem.ts";

type Wanted = z.output<typeof ListDeployments>;
type Sees = {
  readonly see: Look;
  readonly then: ReturnType<typeof past>;
  readonly views: Pick<Views, "deployments" | "newestDeployments" | "deploymentsOf">;
};

/** Places that are asked one by one: of more, the newest of all are looked through. */
const FEW = 10;
/** Looked at beyond what is shown: a place has its own order, and ids of two APIs whose clocks differ are nearly in that. */
const MORE = 10;

/** Deployments, newest first, and the id from which on there may be more. */
export const listDeployments = async (
  sees: Sees,
  wanted: Wanted,
): Promise<{ deployments: readonly DeploymentView[]; next: string | null }> => {
  const { ids, at, before } = wanted;
  if (ids !== undefined) return { deployments: (await sees.views.deploymentsOf(ids)).sort(newestFirst), next: null };
  if (at !== undefined && before !== undefined)
    throw new Problem(400, "query.invalid", 'The request is not valid. "before": cannot be combined with "at".');
  const { found, end } = at === undefined ? await listed(sees, wanted) : await listedAt(sees, wanted, momentOf("at", at));
  return { deployments: found, next: end?.id ?? null };
};

/**
 * In the order of one place, which its sequences give; of several places in that of their ids. A row has no place of its own for each
 * status: those that fit are looked for among the newest, and where too few of them did, `end` says how far that went.
 */
const listed = async ({ see, views }: Sees, { site, environment, status, limit, before }: Wanted): Promise<Listed> => {
  const places = see.places(site, environment);
  const from = before === undefined ? undefined : await see.deployment(before);
  const [only] = places;
  if (only !== undefined && places.length === 1 && (from === undefined || isAt(only, from)))
    return views.deployments({ ...nameOf(only), status, limit, before: from?.sequence });
  if (places.length <= FEW && before === undefined && isNarrowed({ site, environment, status }))
    return mergedLists(
      await Promise.all(places.map((place) => views.deployments({ ...nameOf(place), status, limit: limit + MORE }))),
      limit,
    );
  const wantedPlaces = new Set(places.map((place) => `${place.site}/${place.environment}`));
  return views.newestDeployments(limit, (view) => wantedPlaces.has(`${view.site}/${view.environment}`), { status, before });
};

const listedAt = async ({ see, then }: Sees, { site, environment, status, limit }: Wanted, moment: string): Promise<Listed> => {
  const found = await Promise.all(see.places(site, environment).map((place) => then.deployments(place, moment, status, limit)));
  return { found: found.flat().sort(newestFirst).slice(0, limit), end: null };
};

const nameOf = ({ site, environment }: SiteConfig) => ({ site, environment });
const isAt = (place: SiteConfig, view: DeploymentView): boolean => place.site === view.site && place.environment === view.environment;
const isNarrowed = ({ site, environment, status }: Pick<Wanted, "site" | "environment" | "status">): boolean =>
  site !== undefined || environment !== undefined || status !== undefined;
