import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { modelRows } from "./model-rows.ts";
import { WEBHOOKS } from "./read-models.ts";
import type { ReadStream } from "./row-shape.ts";

/** The read model of webhook endpoints, in one generation of the table of views, and their list. */
export const webhookRows = (client: DynamoDBDocumentClient, table: string, read: ReadStream) => {
  const rows = modelRows(client, table, read, "webhooks");
  return (generation: number) => {
    const kept = rows(generation);
    return {
      ...kept,
      /** Those that were not removed, oldest first. */
      list: async (): Promise<WebhookView[]> => {
        const found = await kept.viewsOf((await kept.by("byList", WEBHOOKS).go({ pages: "all" })).data);
        // one that was removed a moment ago may be in the list still
        return found.filter(({ removedAt }) => removedAt === null).sort((a, b) => (a.addedAt < b.addedAt ? -1 : 1));
      },
    };
  };
};
