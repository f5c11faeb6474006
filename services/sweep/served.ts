import { liveKey } from "../../blueprint/edge-table.ts";
import { readFence } from "../../domain/environment/fence.ts";
import type { EdgeTable } from "../../engine/aws/edge-table.ts";
import type { Functions } from "../../engine/aws/functions.ts";
import { readRow, storeOf } from "../../engine/edge/live-row.ts";
import type { Place } from "../../engine/sweep/place.ts";

export type Ports = { readonly edgeTable: Pick<EdgeTable, "get">; readonly functions: Pick<Functions, "alias"> };

/**
 * Releases and deployments that visitors are sent to, whatever the log says: a flip may have died right after it wrote its row or moved
 * an alias, and a newer one have failed before it did.
 */
export const servedAt = async ({ edgeTable, functions }: Ports, place: Place): Promise<ReadonlySet<string>> => {
  const store = storeOf(place.edge);
  const row = store && readRow(await edgeTable.get(store.table, liveKey(store.distribution)));
  const aliases = await Promise.all(place.functions.map((name) => functions.alias(name, place.alias)));
  const movedTo = aliases.flatMap((found) => (found && readFence(found.description)?.deploymentId) ?? []);
  return new Set([...(row === undefined ? [] : [row.release]), ...movedTo]);
};
