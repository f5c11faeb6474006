import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import type { SealedHead } from "../../domain/kernel/seal.ts";
import { conditionalWrite } from "../aws/conditional-write.ts";
import { noteRow } from "./notes.ts";

const Head = z.object({
  hash: z.string(),
  missing: z.array(z.object({ from: z.number(), to: z.number(), before: z.string(), after: z.string() })),
});

/**
 * What is sealed of each stream, and which streams have more: two notes a stream, so that a seal costs what is new. They
 * can be made again from the seals and the log.
 */
export const sealNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);

  return {
    /** Says that a stream may have commits up to this version that are in no seal. */
    noteUnsealed: (stream: string, version: number): Promise<boolean> =>
      conditionalWrite(
        notes
          .put({ about: "unsealed", kind: stream, value: "", number: version })
          .where(({ number }, { notExists, lt }) => `${notExists(number)} OR ${lt(number, version)}`)
          .go(),
      ),
    /** The streams that may have such commits. */
    unsealedStreams: async (): Promise<string[]> => {
      const { data } = await notes.query.row({ about: "unsealed" }).go({ pages: "all", consistent: true });
      return data.map(({ kind }) => kind);
    },
    /** How many of them there are; no more than `limit` are counted. */
    countUnsealed: async (limit: number): Promise<number> =>
      (await notes.query.row({ about: "unsealed" }).go({ limit, pages: 1 })).data.length,
    /** `undefined` where nothing of the stream is sealed. */
    sealedHead: async (stream: string): Promise<SealedHead | undefined> => {
      const { data } = await notes.get({ about: "sealed", kind: stream }).go({ consistent: true });
      return data ? { version: data.number ?? 0, ...Head.parse(JSON.parse(data.value)) } : undefined;
    },
    /** Never goes back, and forgets that the stream may have more, unless that was said of a later version meanwhile. */
    noteSealed: async (stream: string, { version, hash, missing }: SealedHead): Promise<void> => {
      await conditionalWrite(
        notes
          .put({ about: "sealed", kind: stream, value: JSON.stringify({ hash, missing }), number: version })
          .where(({ number }, { notExists, lte }) => `${notExists(number)} OR ${lte(number, version)}`)
          .go(),
      );
      if (missing.length > 0) return;
      await conditionalWrite(
        notes
          .delete({ about: "unsealed", kind: stream })
          .where(({ number }, { notExists, lte }) => `${notExists(number)} OR ${lte(number, version)}`)
          .go(),
      );
    },
    /** Number of the last seal whose streams are all noted; `undefined` where notes were never made. */
    sealsNoted: async (): Promise<number | undefined> => {
      const { data } = await notes.get({ about: "seals", kind: "noted" }).go({ consistent: true });
      return data?.number;
    },
    noteSeals: async (number: number): Promise<void> => {
      await conditionalWrite(
        notes
          .put({ about: "seals", kind: "noted", value: "", number })
          .where((row, { notExists, lt }) => `${notExists(row.number)} OR ${lt(row.number, number)}`)
          .go(),
      );
    },
  };
};

export type SealNotes = ReturnType<typeof sealNotes>;
