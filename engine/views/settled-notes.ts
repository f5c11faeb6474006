import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { noteRow } from "./notes.ts";

const KEPT_SECONDS = 2 * 24 * 3_600;

/** Up to which number the reconciler has found nothing left to do of something; a row each, which goes by itself. */
export const settledNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);
  const key = (what: string) => ({ about: `settled/${what}`, kind: "reconcile" });

  return {
    /** `undefined`: never, or days ago */
    settled: async (what: string): Promise<number | undefined> => {
      const { data } = await notes.get(key(what)).go({ consistent: true });
      return data?.number;
    },
    /** @param now milliseconds since 1970 */
    noteSettled: async (what: string, number: number, now: number): Promise<void> => {
      await notes.put({ ...key(what), value: "", number, expiresAt: Math.floor(now / 1_000) + KEPT_SECONDS }).go();
    },
  };
};
