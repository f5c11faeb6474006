import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { conditionalWrite } from "../aws/conditional-write.ts";
import { noteRow } from "./notes.ts";

/** How far a subscription's receiver has taken the log, and how it fails where it does. Times in milliseconds since 1970. */
export type FeedPlace = {
  /** how often the subscription was reset before: a place of before a reset counts no more */
  readonly resets: number;
  /** as `openFeed` names places; or a position, where nothing was taken yet */
  readonly at: string;
  /** null where what was sent last was taken */
  readonly failing: {
    readonly since: number;
    readonly attempts: number;
    readonly nextAt: number;
    readonly reason: string;
    /** that were sent together: they are sent together again */
    readonly events: number;
  } | null;
};

/** `turn`: counts the writes of the row, so that nobody writes over what they have not seen. */
export type KeptPlace = { readonly place: FeedPlace; readonly turn: number };

/**
 * The places of subscriptions, a row each. The log does not have them: what a receiver took is the receiver's word, once
 * for each request, and nobody's decision. A rebuild of the read models leaves them.
 */
export const placeNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);
  const key = (webhook: string) => ({ about: `subscription/${webhook}`, kind: "place" });

  return {
    place: async (webhook: string): Promise<KeptPlace | undefined> => {
      const { data } = await notes.get(key(webhook)).go({ consistent: true });
      return data ? { place: JSON.parse(data.value) as FeedPlace, turn: data.number ?? 0 } : undefined;
    },
    /**
     * Writes it unless somebody else did since; `false` where they did.
     *
     * @param turn of the row that was read; 0 where there was none
     */
    setPlace: (webhook: string, place: FeedPlace, turn: number): Promise<boolean> =>
      conditionalWrite(
        notes
          .put({ ...key(webhook), value: JSON.stringify(place), number: turn + 1 })
          .where(({ number }, { notExists, eq }) => (turn === 0 ? notExists(number) : eq(number, turn)))
          .go(),
      ),
    /** Of a subscription that was removed. */
    forgetPlace: async (webhook: string): Promise<void> => {
      await notes.delete(key(webhook)).go();
    },
  };
};
