import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { webhookOf, webhookStream } from "../../domain/kernel/identity.ts";
import { type WebhookView, webhookShape } from "../../domain/projections/webhook-view.ts";
import { ifNewer } from "../aws/if-newer.ts";
import { generationOf, inGeneration } from "./generations.ts";
import { type ReadStream, viewIn, viewsIn } from "./row-shape.ts";

const none = { casing: "none" } as const;
/** All endpoints are listed together: there are dozens at most. */
const LIST = "webhooks";

export const webhookRow = (client: DynamoDBDocumentClient, table: string) =>
  new Entity(
    {
      model: { service: "shiplog", entity: "webhook", version: "1" },
      attributes: {
        id: { type: "string", required: true },
        list: { type: "string", required: true },
        version: { type: "number", required: true },
        /** of the view; rows of the first engines have none */
        shape: { type: "number" },
        view: { type: "string", required: true },
      },
      indexes: {
        row: { pk: { field: "pk", composite: ["id"], ...none }, sk: { field: "sk", composite: [], ...none } },
        byList: {
          index: "gsi1",
          pk: { field: "gsi1pk", composite: ["list"], ...none },
          sk: { field: "gsi1sk", composite: ["id"], ...none },
        },
      },
    },
    { client, table },
  );

/** The attributes of a row. */
export const webhookAttributes = (generation: number, view: WebhookView) => ({
  id: inGeneration(generation, view.id),
  list: inGeneration(generation, LIST),
  version: view.version,
  shape: webhookShape,
  view: JSON.stringify(view),
});

/** The read model of webhook endpoints, in one generation of the table of views. */
export const webhookRows = (client: DynamoDBDocumentClient, table: string, read: ReadStream) => {
  const webhooks = webhookRow(client, table);
  return (generation: number) => {
    const kept = { get, put };
    const views = viewsIn(read, "webhooks", kept);
    return { ...kept, list };

    /** `undefined` where it was never projected, or in another shape. */
    async function get(stream: string): Promise<WebhookView | undefined> {
      const { data } = await webhooks.get({ id: inGeneration(generation, webhookOf(stream)) }).go({ consistent: true });
      return viewIn("webhooks", data);
    }
    /** Writes a row if nobody wrote a newer one of this shape; `false` where somebody did. */
    function put(view: WebhookView): Promise<boolean> {
      return ifNewer(
        webhooks
          .put(webhookAttributes(generation, view))
          .where(
            ({ version, shape }, { notExists, lt, ne }) =>
              `${notExists(version)} OR ${lt(version, view.version)} OR ${notExists(shape)} OR ${ne(shape, webhookShape)}`,
          )
          .go(),
      );
    }
    /** Those that were not removed, oldest first. */
    async function list(): Promise<WebhookView[]> {
      const { data } = await webhooks.query.byList({ list: inGeneration(generation, LIST) }).go({ pages: "all" });
      const found = await views(data.map((row) => ({ row, stream: webhookStream(generationOf(row.id).key) })));
      return found.filter(({ removedAt }) => removedAt === null).sort((a, b) => (a.addedAt < b.addedAt ? -1 : 1));
    }
  };
};
