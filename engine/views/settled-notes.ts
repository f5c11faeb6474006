import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { noteRow } from "./notes.ts";

const KEPT_SECONDS = 2 * 24 * 3_600;

/** Where the reconciler has found nothing left to do of something; a row each, which goes by itself. */
export const settledNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);
  const key = (what: string) => ({ about: `settled/${what}`, kind: "reconcile" });

  return {
    /** `undefined`: never, or days ago. @param now milliseconds since 1970 */
    settled: async (what: string, now: number): Promise<string | undefined> => {
      const { data } = await notes.get(key(what)).go({ consistent: true });
      // DynamoDB takes its time with what is over
      return data?.expiresAt !== undefined && data.expiresAt * 1_000 > now ? data.value : undefined;
    },
    noteSettled: async (what: string, value: string, now: number): Promise<void> => {
      await notes.put({ ...key(what), value, expiresAt: Math.floor(now / 1_000) + KEPT_SECONDS }).go();
    },
  };
};
