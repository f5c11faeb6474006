import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { CodeStorageSample } from "../../domain/projections/code-storage.ts";
import { noteRow } from "./notes.ts";

const Samples = z.array(CodeStorageSample);

/** How full the account's code storage was, twice a day for a month: one row. */
export const storageNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);
  const row = { about: "code-storage", kind: "figures" };

  return {
    /** Oldest first; none before it was first measured. */
    codeStorageSamples: async (): Promise<CodeStorageSample[]> => {
      const { data } = await notes.get(row).go();
      return data === null ? [] : Samples.parse(JSON.parse(data.value));
    },
    noteCodeStorage: async (samples: readonly CodeStorageSample[]): Promise<void> => {
      await notes.put({ ...row, value: JSON.stringify(samples) }).go();
    },
  };
};
