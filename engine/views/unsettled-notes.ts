import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { conditionalWrite } from "../aws/conditional-write.ts";
import { noteRow } from "./notes.ts";

const aboutOf = (place: string): string => `unsettled/${place}`;

/**
 * Flips whose public files may not be settled: noted before one begins, forgotten when no file is left that does not belong
 * there. Whoever comes after its process died knows by it.
 */
export const unsettledNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);
  const key = (place: string, sequence: number) => ({ about: aboutOf(place), kind: String(sequence) });

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
    /** Deliveries of it that ended because Lambda had no room to run its release. */
    throttledFlip: async (place: string, sequence: number): Promise<number> => {
      const { data } = await notes.get(key(place, sequence)).go({ consistent: true });
      return Number(data?.value ?? 0);
    },
    noteThrottled: async (place: string, sequence: number, deliveries: number): Promise<void> => {
      await conditionalWrite(
        notes
          .put({ ...key(place, sequence), value: String(deliveries), number: 0 })
          .where(({ value }, { exists }) => exists(value))
          .go(),
      );
    },
    /** With how often each was looked at. */
    unsettledFlips: async (place: string): Promise<{ sequence: number; looks: number }[]> => {
      const { data } = await notes.query.row({ about: aboutOf(place) }).go({ pages: "all", consistent: true });
      return data.map(({ kind, number = 0 }) => ({ sequence: Number(kind), looks: number }));
    },
    /** Counts a look at it, unless it is settled meanwhile. */
    countLook: async (place: string, sequence: number, looks: number): Promise<void> => {
      await conditionalWrite(
        notes
          .put({ ...key(place, sequence), value: "", number: looks })
          .where(({ value }, { exists }) => exists(value))
          .go(),
      );
    },
    forgetUnsettled: async (place: string, sequence: number): Promise<void> => {
      await notes.delete(key(place, sequence)).go();
    },
  };
};
