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

const aboutOf = (place: string): string => `unsettled/${place}`;

/**
 * Flips whose public files may not be settled: noted before one begins, forgotten when no file is left that does not belong
 * there. Whoever comes after its process died knows by it.
 */
export const unsettledNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);
  const key = (place: string, sequence: number) => ({ about: aboutOf(place), kind: String(sequence) });
  /** The rest of the note stays. Where it was forgotten meanwhile, or changed, nothing is written: the next one does so. */
  const change = async (place: string, sequence: number, to: { value: string } | { number: number }): Promise<void> => {
    const { data } = await notes.get(key(place, sequence)).go({ consistent: true });
    if (data === null) return;
    await conditionalWrite(
      notes
        .put({ ...key(place, sequence), value: data.value, number: data.number ?? 0, ...to })
        .where(({ value }, { eq }) => eq(value, data.value))
        .go(),
    );
  };

  return {
    /** `false` where it is noted already. @param place the environment's stream */
    noteUnsettled: (place: string, sequence: number): Promise<boolean> =>
      conditionalWrite(
        notes
          .put({ ...key(place, sequence), value: "", number: 0 })
          .where(({ value }, { notExists }) => notExists(value))
          .go(),
      ),
    isUnsettled: async (place: string, sequence: number): Promise<boolean> => {
      const { data } = await notes.get(key(place, sequence)).go({ consistent: true });
      return data !== null;
    },
    flipTries: async (place: string, sequence: number): Promise<FlipTries> => {
      const { data } = await notes.get(key(place, sequence)).go({ consistent: true });
      return readTries(data?.value ?? "");
    },
    noteTries: (place: string, sequence: number, tries: FlipTries): Promise<void> =>
      change(place, sequence, { value: JSON.stringify(tries) }),
    /** With how often each was looked at. */
    unsettledFlips: async (place: string): Promise<{ sequence: number; looks: number }[]> => {
      const { data } = await notes.query.row({ about: aboutOf(place) }).go({ pages: "all", consistent: true });
      return data.map(({ kind, number = 0 }) => ({ sequence: Number(kind), looks: number }));
    },
    /** Counts a look at it, unless it is settled meanwhile. */
    countLook: (place: string, sequence: number, looks: number): Promise<void> => change(place, sequence, { number: looks }),
    forgetUnsettled: async (place: string, sequence: number): Promise<void> => {
      await notes.delete(key(place, sequence)).go();
    },
  };
};

/** Of an earlier release: a number of deliveries, whichever message they were of. */
const readTries = (value: string): FlipTries => {
  if (value === "") return NO_TRIES;
  const stored: unknown = JSON.parse(value);
  return typeof stored === "number" ? { failed: false, throttled: { "": stored } } : FlipTries.parse(stored);
};
