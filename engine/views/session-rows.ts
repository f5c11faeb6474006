import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { isOpen, type SessionView } from "../../domain/projections/session-view.ts";
import { modelRows } from "./model-rows.ts";
import { SESSIONS } from "./read-models.ts";
import type { ReadStream } from "./row-shape.ts";

const PAGE = 100;

/** The read model of sessions, in one generation of the table of views, and the list of those that go on. */
export const sessionRows = (client: DynamoDBDocumentClient, table: string, read: ReadStream) => {
  const rows = modelRows(client, table, read, "sessions");
  return (generation: number) => {
    const kept = rows(generation);
    return {
      ...kept,
      /** Those that go on, the newest first. Those that are over by their time, however many, are not read. @param now ISO 8601 in UTC */
      open: async (now: string): Promise<SessionView[]> => {
        const found: SessionView[] = [];
        let cursor: string | null = null;
        do {
          const page = await kept.by("byEnd", SESSIONS).go({ order: "desc", limit: PAGE, cursor });
          const views = await kept.viewsOf(page.data);
          found.push(...views.filter((view) => isOpen(view, now)));
          cursor = views.some(({ until }) => until <= now) ? null : page.cursor;
        } while (cursor !== null);
        return found.sort((a, b) => (a.beganAt < b.beganAt ? 1 : -1));
      },
    };
  };
};
