import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { webhookOf } from "../../domain/kernel/identity.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { inGeneration } from "./generations.ts";
import { ifNewer } from "./if-newer.ts";

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
  view: JSON.stringify(view),
});

/** The read model of webhook endpoints, in one generation of the table of views. */
export const webhookRows = (client: DynamoDBDocumentClient, table: string) => {
  const webhooks = webhookRow(client, table);
  return (generation: number) => ({
    /** `undefined` where it was never projected. */
    get: async (stream: string): Promise<WebhookView | undefined> => {
      const { data } = await webhooks.get({ id: inGeneration(generation, webhookOf(stream)) }).go({ consistent: true });
      return data ? (JSON.parse(data.view) as WebhookView) : undefined;
    },
    /** Writes a row if nobody wrote a newer one; `false` where somebody did. */
    put: (view: WebhookView): Promise<boolean> =>
      ifNewer(
        webhooks
          .put(webhookAttributes(generation, view))
          .where(({ version }, { notExists, lt }) => `${notExists(version)} OR ${lt(version, view.version)}`)
          .go(),
      ),
    /** Those that were not removed, oldest first. */
    list: async (): Promise<WebhookView[]> => {
      const { data } = await webhooks.query.byList({ list: inGeneration(generation, LIST) }).go({ pages: "all" });
      const views = data.map(({ view }) => JSON.parse(view) as WebhookView).filter(({ removedAt }) => removedAt === null);
      return views.sort((a, b) => (a.addedAt < b.addedAt ? -1 : 1));
    },
  });
};
