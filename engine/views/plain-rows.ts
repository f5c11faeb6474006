import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { conditionalWrite } from "../aws/conditional-write.ts";
import { deliveryRows } from "../webhooks/delivery-rows.ts";
import { begunNotes } from "./begun-notes.ts";
import { flipNotes } from "./flip-notes.ts";
import { noteRow } from "./notes.ts";
import { placeNotes } from "./place-notes.ts";
import { sealNotes } from "./seal-notes.ts";
import { sentAgainNotes } from "./sent-again-notes.ts";
import { settledNotes } from "./settled-notes.ts";
import { storageNotes } from "./storage-notes.ts";
import { waitingRows } from "./waiting-rows.ts";

/**
 * The rows of the table of views that are no read models: notes, deliveries, what waits. Nothing makes them again.
 * A function that needs these alone is bundled without the folds of the read models.
 */
export const plainRows = (dynamodb: DynamoDBClient, table: string) => {
  const client = DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } });
  const notes = noteRow(client, table);

  return {
    ...deliveryRows(client, table),
    ...begunNotes(client, table),
    ...flipNotes(client, table),
    ...placeNotes(client, table),
    ...sealNotes(client, table),
    ...sentAgainNotes(client, table),
    ...settledNotes(client, table),
    ...storageNotes(client, table),
    ...waitingRows(client, table),

    /** The last commit of a stream that is known to be on the bus; 0 where none is. */
    relayed: async (stream: string): Promise<number> => {
      const { data } = await notes.get({ about: stream, kind: "relayed" }).go({ consistent: true });
      return data?.number ?? 0;
    },
    setRelayed: (stream: string, version: number): Promise<boolean> =>
      conditionalWrite(
        notes
          .put({ about: stream, kind: "relayed", value: "", number: version })
          .where(({ number }, { notExists, lt }) => `${notExists(number)} OR ${lt(number, version)}`)
          .go(),
      ),
    /** Until when (milliseconds since 1970) the mender knows the whole log to be on the bus; 0 where it never looked. */
    mended: async (): Promise<number> => {
      const { data } = await notes.get({ about: "log", kind: "relayed" }).go({ consistent: true });
      return data?.number ?? 0;
    },
    /** Also back: a clock that was ahead is right again. */
    setMended: async (time: number): Promise<void> => {
      await notes.put({ about: "log", kind: "relayed", value: "", number: time }).go();
    },
    /**
     * Takes a caller's key for one request, named by its digest; `false` where the key was taken for another one. Kept for
     * good: a key that was ever used never means anything else.
     */
    claimKey: async (key: string, digest: string): Promise<boolean> => {
      const taken = notes.put({ about: `key/${key}`, kind: "request", value: digest });
      if (await conditionalWrite(taken.where(({ value }, { notExists }) => notExists(value)).go())) return true;
      const { data } = await notes.get({ about: `key/${key}`, kind: "request" }).go({ consistent: true });
      return data?.value === digest;
    },
    /** How far a long step has come: not history, only the last word. */
    progress: async (deploymentId: string): Promise<{ step: string; done: number; total: number } | undefined> => {
      const { data } = await notes.get({ about: deploymentId, kind: "progress" }).go();
      return data ? (JSON.parse(data.value) as { step: string; done: number; total: number }) : undefined;
    },
    setProgress: async (deploymentId: string, progress: { step: string; done: number; total: number }): Promise<void> => {
      await notes.put({ about: deploymentId, kind: "progress", value: JSON.stringify(progress) }).go();
    },
  };
};
