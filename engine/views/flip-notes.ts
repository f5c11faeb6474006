import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { conditionalWrite } from "../aws/conditional-write.ts";
import { noteRow } from "./notes.ts";

/** How a flip's deliveries ended so far. Stored with its note, and forgotten with it. */
const FlipTries = z.object({
  /** its release was asked, and did not answer as it should */
  failed: z.boolean(),
  /** by message, the deliveries for which Lambda had no room to run it: they were no tries of its own */
  throttled: z.record(z.string(), z.number()),
});
export type FlipTries = z.infer<typeof FlipTries>;
export const NO_TRIES: FlipTries = { failed: false, throttled: {} };

/** What is noted of a flip between its deliveries. @param place of each: the environment's stream */
export const flipNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);
  const key = (place: string, sequence: number) => ({ about: `flip/${place}`, kind: String(sequence) });

  return {
    flipTries: async (place: string, sequence: number): Promise<FlipTries> => {
      const { data } = await notes.get(key(place, sequence)).go({ consistent: true });
      return data === null ? NO_TRIES : FlipTries.parse(JSON.parse(data.value));
    },
    /** Where another delivery changed it since `before` was read, nothing is written: the next one does so. */
    noteTries: async (place: string, sequence: number, before: FlipTries, tries: FlipTries): Promise<void> => {
      await conditionalWrite(
        notes
          .put({ ...key(place, sequence), value: JSON.stringify(tries), number: 0 })
          .where(({ value }, { eq, notExists }) => (before === NO_TRIES ? notExists(value) : eq(value, JSON.stringify(before))))
          .go(),
      );
    },
    forgetTries: async (place: string, sequence: number): Promise<void> => {
      await notes.delete(key(place, sequence)).go();
    },
  };
};
