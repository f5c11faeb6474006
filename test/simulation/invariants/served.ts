import { liveKey } from "../../../blueprint/edge-table.ts";
import type { Cloud } from "../aws/cloud.ts";
import { streamOf } from "./aliases.ts";
import { placeAt } from "./belongings.ts";

/** Releases and deployments that visitors are sent to, whatever the log says, and by what. */
export const servedAt = ({ edgeTable, lambda }: Cloud, stream: string): ReadonlyMap<string, string> => {
  const row = edgeTable.versions.at(-1)?.get(liveKey(placeAt(stream).distribution)) ?? "";
  const byRow = idsIn(row).map((id) => [id, "the edge's row of what is live names"] as const);
  const byAlias = [...lambda.functions.values()]
    .filter(({ name }) => streamOf.get(name) === stream)
    .flatMap(({ name, alias }) => idsIn(alias?.description ?? "").map((id) => [id, `the alias of ${name} is at`] as const));
  return new Map([...byRow, ...byAlias]);
};

const idsIn = (text: string): string[] => text.match(/dep_\w{26}/g) ?? [];
