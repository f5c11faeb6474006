import { MAX_VALUE } from "../../blueprint/edge-table.ts";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { kindOf, type PublishedFunction } from "../../domain/deployment/shapes.ts";
import { isRemoved } from "../../domain/environment/remembered.ts";
import { type PublicSet, Route } from "../../domain/environment/route.ts";
import type { Environment } from "../../domain/environment/state.ts";
import { AddressTaken } from "../../engine/aws/addresses.ts";
import { type Ports as AddressPorts, makeAddresses } from "../../engine/edge/addresses.ts";
import { hasRows, type Ports as RowsPorts, writeRows } from "../../engine/edge/public-rows.ts";
import type { Flip } from "./flip.ts";
import { FlipImpossible } from "./move-aliases.ts";

export type Ports = AddressPorts &
  RowsPorts & {
    /** the public files of a release by its manifest, with their rows for the edge's table; throws `FilesMissing` */
    publicSet(site: SiteConfig, manifest: string): Promise<{ files: PublicSet; rows: readonly string[] }>;
  };

/**
 * Where the edge is to send what is asked of the release: everything that the row names is there before the row is. What was
 * published has it already; what was swept, deleted or published by an older engine is made again.
 *
 * @param before the environment as it was when the flip began
 */
export const routeTo = async (ports: Ports, flip: Flip, site: SiteConfig, before: Environment): Promise<Route> => {
  const { sequence, deploymentId, release } = flip;
  const { id, functions, basePath = "" } = release;
  const address = addressOf(flip, before);
  const [urls, files] = await Promise.all([
    makeAddresses(ports, { address, deploymentId, functions }).catch(unlessTaken),
    publicSetOf(ports, flip, site),
  ]);
  const { ids, host } = hostsOf(functions, urls);
  const idOf = (one: PublishedFunction | undefined): string => (one && ids.get(one.name)) ?? "";
  const server = functions.find(({ role }) => role === "server");
  const split = functions.flatMap((fn) => (fn.patterns ?? []).map((pattern): [string, string] => [pattern, idOf(fn)]));
  const route: Route = {
    v: 1,
    sequence,
    address,
    release: id,
    host,
    server: idOf(server),
    image: idOf(functions.find(({ role }) => kindOf(role) === "image") ?? server),
    ...(split.length > 0 && { split }),
    ...(basePath !== "" && { base: basePath }),
    files,
  };
  return fitting(route);
};

/** The one that the release has. Where it has none, or that was taken away, it is given another within the flip. */
const addressOf = ({ sequence, deploymentId, release }: Flip, before: Environment): number => {
  const known = before.routes.get(release.id);
  // what is known of it is not removed: that takes it out
  if (known?.deploymentId === deploymentId) return known.route.address;
  return release.address === undefined || isRemoved(before, release.address) ? sequence : release.address;
};

/** A hand moved what never moves: who undoes it knows why, and no flip does. */
const unlessTaken = (error: unknown): never => {
  throw error instanceof AddressTaken ? new FlipImpossible(error.message, { cause: error }) : error;
};

/** As it is stored: a row has little room. */
const fitting = (route: Route): Route => {
  const bytes = Buffer.byteLength(JSON.stringify({ ...route, until: Number.MAX_SAFE_INTEGER }));
  if (bytes > MAX_VALUE)
    throw new FlipImpossible(
      `its row in the edge's table would have ${bytes} bytes, and CloudFront takes ${MAX_VALUE}: give its ${route.split?.length ?? 0} paths of split functions shorter or fewer patterns`,
    );
  return Route.parse(route);
};

/**
 * What was just published is there. Of what was live before somebody may have taken something away, any row of it too: they are written
 * again, which costs a request for each fifty, and less than to look at each.
 */
const publicSetOf = async (ports: Ports, { reason, release }: Flip, site: SiteConfig): Promise<PublicSet> => {
  if (reason === "deploy" && release.files !== undefined && (await hasRows(ports, site, release.files))) return release.files;
  const set = await ports.publicSet(site, release.manifest);
  await writeRows(ports, site, set);
  return set.files;
};

/** The first label of each URL's host, by function, and what follows it: the same for all of one region. */
const hostsOf = (
  functions: readonly PublishedFunction[],
  urls: ReadonlyMap<string, URL>,
): { ids: ReadonlyMap<string, string>; host: string } => {
  const ids = new Map<string, string>();
  let host = "";
  for (const { name } of functions) {
    const [id = "", ...rest] = urls.get(name)?.host.split(".") ?? [];
    if (id === "") continue;
    ids.set(name, id);
    host = `.${rest.join(".")}`;
  }
  return { ids, host };
};
