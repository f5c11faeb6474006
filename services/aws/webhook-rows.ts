import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { ifNewer } from "./if-newer.ts";

const none = { casing: "none" } as const;
/** All endpoints are listed together: there are dozens at most. */
const LIST = "webhooks";

/** The read model of webhook endpoints, in the table of views. */
export const webhookRows = (client: DynamoDBDocumentClient, table: string) => {
  const webhooks = new Entity(
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

  return {
    /** `undefined` where it was never projected. */
    webhook: async (id: string): Promise<WebhookView | undefined> => {
      const { data } = await webhooks.get({ id }).go({ consistent: true });
      return data ? (JSON.parse(data.view) as WebhookView) : undefined;
    },
    /** Those that were not removed, oldest first. */
    webhooks: async (): Promise<WebhookView[]> => {
      const { data } = await webhooks.query.byList({ list: LIST }).go({ pages: "all" });
      const views = data.map(({ view }) => JSON.parse(view) as WebhookView).filter(({ removedAt }) => removedAt === null);
      return views.sort((a, b) => (a.addedAt < b.addedAt ? -1 : 1));
    },
    /** Writes a row if nobody wrote a newer one; `false` where somebody did. */
    putWebhook: (view: WebhookView): Promise<boolean> =>
      ifNewer(
        webhooks
          .put({ id: view.id, list: LIST, version: view.version, view: JSON.stringify(view) })
          .where(({ version }, { notExists, lt }) => `${notExists(version)} OR ${lt(version, view.version)}`)
          .go(),
      ),
  };
};
