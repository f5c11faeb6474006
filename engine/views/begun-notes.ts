import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { noteRow } from "./notes.ts";

const BEGUN = "begun";

/**
 * Streams that begin, noted before their first commit: no declaration and no other stream knows of them, and a clock that
 * is far off dates them where nobody looks. Endpoints that are removed, too: a secret may be left of either. Kept until the
 * row is there and nothing is left.
 */
export const begunNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);

  return {
    /** @param at milliseconds since 1970 */
    noteBegun: async (stream: string, at: number): Promise<void> => {
      await notes.put({ about: BEGUN, kind: stream, value: "", number: at }).go();
    },
    begun: async (): Promise<{ stream: string; at: number }[]> => {
      const { data } = await notes.query.row({ about: BEGUN }).go({ pages: "all", consistent: true });
      return data.map(({ kind, number = 0 }) => ({ stream: kind, at: number }));
    },
    forgetBegun: async (stream: string): Promise<void> => {
      await notes.delete({ about: BEGUN, kind: stream }).go();
    },
  };
};
