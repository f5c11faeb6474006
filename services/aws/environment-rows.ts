import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { siteOf } from "../../domain/kernel/identity.ts";
import type { EnvironmentView } from "../../domain/projections/views.ts";
import { inGeneration } from "./generations.ts";
import { ifNewer } from "./if-newer.ts";

const none = { casing: "none" } as const;

export const environmentRow = (client: DynamoDBDocumentClient, table: string) =>
  new Entity(
    {
      model: { service: "shiplog", entity: "environment", version: "1" },
      attributes: {
        place: { type: "string", required: true },
        version: { type: "number", required: true },
        view: { type: "string", required: true },
      },
      indexes: { row: { pk: { field: "pk", composite: ["place"], ...none }, sk: { field: "sk", composite: [], ...none } } },
    },
    { client, table },
  );

/** The attributes of a row. */
export const environmentAttributes = (generation: number, view: EnvironmentView) => ({
  place: inGeneration(generation, `${view.site}/${view.environment}`),
  version: view.version,
  view: JSON.stringify(view),
});

/** The read model of environments, in one generation of the table of views. */
export const environmentRows = (client: DynamoDBDocumentClient, table: string) => {
  const environments = environmentRow(client, table);
  return (generation: number) => ({
    /** `undefined` where it was never projected. */
    get: async (stream: string): Promise<EnvironmentView | undefined> => {
      const { site, environment } = siteOf(stream);
      const { data } = await environments.get({ place: inGeneration(generation, `${site}/${environment}`) }).go({ consistent: true });
      return data ? (JSON.parse(data.view) as EnvironmentView) : undefined;
    },
    /** Writes a row if nobody wrote a newer one; `false` where somebody did. */
    put: (view: EnvironmentView): Promise<boolean> =>
      ifNewer(
        environments
          .put(environmentAttributes(generation, view))
          .where(({ version }, { notExists, lt }) => `${notExists(version)} OR ${lt(version, view.version)}`)
          .go(),
      ),
  });
};
