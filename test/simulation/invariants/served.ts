import { liveKey } from "../../../blueprint/edge-table.ts";
import type { PublishedFunction } from "../../../domain/deployment/shapes.ts";
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

/** Whether an alias is at a version of its pages, whoever put it there. */
export const isAtVersion = ({ lambda }: Cloud, functions: readonly PublishedFunction[]): boolean =>
  functions.some(({ role, name, version }) => {
    const { version: at, weights = {} } = lambda.functions.get(name)?.alias ?? { version: undefined };
    return role === "server" && (at === version || version in weights);
  });

const idsIn = (text: string): string[] => text.match(/dep_\w{26}/g) ?? [];
