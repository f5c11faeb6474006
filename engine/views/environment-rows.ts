import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { siteOf } from "../../domain/kernel/identity.ts";
import { environmentShape } from "../../domain/projections/environment-view.ts";
import type { EnvironmentView } from "../../domain/projections/views.ts";
import { ifNewer } from "../aws/if-newer.ts";
import { inGeneration } from "./generations.ts";
import { type ReadStream, viewIn, viewsIn } from "./row-shape.ts";

const none = { casing: "none" } as const;

export const environmentRow = (client: DynamoDBDocumentClient, table: string) =>
  new Entity(
    {
      model: { service: "shiplog", entity: "environment", version: "1" },
      attributes: {
        place: { type: "string", required: true },
        version: { type: "number", required: true },
        /** of the view; rows of the first engines have none */
        shape: { type: "number" },
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
  shape: environmentShape,
  view: JSON.stringify(view),
});

/** The read model of environments, in one generation of the table of views. */
export const environmentRows = (client: DynamoDBDocumentClient, table: string, read: ReadStream) => {
  const environments = environmentRow(client, table);
  return (generation: number) => {
    const kept = { get, put };
    const views = viewsIn(read, "environments", kept);
    return { ...kept, current };

    /** `undefined` where it was never projected, or in another shape. */
    async function get(stream: string): Promise<EnvironmentView | undefined> {
      return viewIn("environments", await rowOf(stream));
    }
    /** `undefined` where it was never projected; one of another shape is made anew. */
    async function current(stream: string): Promise<EnvironmentView | undefined> {
      const row = await rowOf(stream);
      return row === null ? undefined : (await views([{ row, stream }]))[0];
    }
    async function rowOf(stream: string) {
      const { site, environment } = siteOf(stream);
      return (await environments.get({ place: inGeneration(generation, `${site}/${environment}`) }).go({ consistent: true })).data;
    }
    /** Writes a row if nobody wrote a newer one of this shape; `false` where somebody did. */
    function put(view: EnvironmentView): Promise<boolean> {
      return ifNewer(
        environments
          .put(environmentAttributes(generation, view))
          .where(
            ({ version, shape }, { notExists, lt, ne }) =>
              `${notExists(version)} OR ${lt(version, view.version)} OR ${notExists(shape)} OR ${ne(shape, environmentShape)}`,
          )
          .go(),
      );
    }
  };
};
