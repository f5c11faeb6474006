import { liveKey } from "../../blueprint/edge-table.ts";
import { kindOf } from "../../domain/deployment/shapes.ts";
import { type FoundAlias, readFence } from "../../domain/environment/fence.ts";
import type { EdgeTable } from "../aws/edge-table.ts";
import type { Functions } from "../aws/functions.ts";
import { storeOf } from "../edge/live-row.ts";
import { each } from "../kit/each.ts";
import type { Found } from "./found.ts";
import type { Place } from "./place.ts";

export type Ports = { readonly edgeTable: Pick<EdgeTable, "get">; readonly functions: Pick<Functions, "alias"> };

/** What visitors are sent to, whatever the log says of it. */
export type Served = {
  /** of releases and of deployments */
  readonly ids: ReadonlySet<string>;
  /** numbers of the addresses that the edge's row of what is live names */
  readonly addresses: readonly number[];
  /** `<function>:<version>`, of each alias `live` */
  readonly versions: ReadonlySet<string>;
};

export const nobodyLooked: Served = { ids: new Set(), addresses: [], versions: new Set() };

/** Requests at a time. */
const WIDTH = 4;

/**
 * Asks the edge and Lambda. A flip may have died right after it wrote the edge's row or moved an alias, and a newer one have failed
 * before it did; and a hand may have moved an alias, or written that row: an edge may follow one that this engine would not.
 */
export const servedAt = async ({ edgeTable, functions }: Ports, place: Place): Promise<Served> => {
  const store = storeOf(place.edge);
  const row = (store && (await edgeTable.get(store.table, liveKey(store.distribution)))) ?? "";
  const ids = new Set(row.match(DEPLOYMENT) ?? []);
  const addresses = [...row.matchAll(ADDRESS)].map(([, number]) => Number(number));
  const versions = new Set<string>();
  await each(place.functions, WIDTH, async (name) => {
    const found = await functions.alias(name, place.alias);
    if (found === undefined) return;
    const fence = readFence(found.description);
    if (fence !== undefined) ids.add(fence.deploymentId);
    for (const version of versionsOf(found)) versions.add(`${name}:${version}`);
  });
  return { ids, addresses, versions };
};
const DEPLOYMENT = /dep_\w{26}/g;
const ADDRESS = /"address"\s*:\s*(\d+)/g;

const versionsOf = ({ version, weights = {} }: FoundAlias): string[] => [version, ...Object.keys(weights)];

/** Whether an alias is at a version of a release's pages. What they need besides, as pictures, many releases have in common. */
export const isServed = ({ versions }: Served, { functions }: Pick<Found, "functions">): boolean =>
  functions.some(({ role, name, version }) => kindOf(role) === "server" && versions.has(`${name}:${version}`));
