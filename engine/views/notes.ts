import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";

const none = { casing: "none" } as const;

/** Rows of the table of views that are no read models: one word about something. */
export const noteRow = (client: DynamoDBDocumentClient, table: string) =>
  new Entity(
    {
      model: { service: "shiplog", entity: "note", version: "1" },
      attributes: {
        about: { type: "string", required: true },
        kind: { type: "string", required: true },
        value: { type: "string", required: true },
        number: { type: "number" },
        /** in seconds since 1970: of a note that goes by itself */
        expiresAt: { type: "number" },
      },
      indexes: { row: { pk: { field: "pk", composite: ["about"], ...none }, sk: { field: "sk", composite: ["kind"], ...none } } },
    },
    { client, table },
  );
