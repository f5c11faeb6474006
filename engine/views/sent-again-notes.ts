import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { noteRow } from "./notes.ts";

const KEPT_SECONDS = 2 * 24 * 3_600;

/** Events that the reconciler sent again, and when: a row each, which goes by itself. */
export const sentAgainNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);
  const key = (event: string) => ({ about: `sent-again/${event}`, kind: "reconcile" });

  return {
    /** milliseconds since 1970 */
    sentAgain: async (event: string): Promise<number | undefined> => {
      const { data } = await notes.get(key(event)).go({ consistent: true });
      return data?.number;
    },
    noteSentAgain: async (event: string, at: number): Promise<void> => {
      await notes.put({ ...key(event), value: "", number: at, expiresAt: Math.floor(at / 1_000) + KEPT_SECONDS }).go();
    },
  };
};
