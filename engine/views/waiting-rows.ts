import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { conditionalWrite } from "../aws/conditional-write.ts";

const none = { casing: "none" } as const;

/** A message that comes into its consumer's queue at a time; `due` in milliseconds since 1970. */
export type Waiting = {
  readonly consumer: string;
  /** one message waits under a name at most: whoever waits again takes its place */
  readonly key: string;
  readonly body: string;
  readonly due: number;
  /** of this writing of the row: who sent an earlier one must not forget this one, also where it is due at the same time */
  readonly token: string;
};

/** Longer than any wait there is (a day and a fifth): what is due later was dated by a clock that was ahead. */
export const MAX_WAIT_MS = 48 * 3_600_000;

/** @param random in [0, 1) */
export const waitingToken = (now: number, random: number): string => `${now}-${random}`;

const KIND = "waiting";

/** Digits enough for every time there is: texts in the order of their times. */
const orderOf = (due: number): string => String(Math.max(0, Math.floor(due))).padStart(16, "0");

/** The entity of the table. Stored until it is due. */
const entityOf = (client: DynamoDBDocumentClient, table: string) =>
  new Entity(
    {
      model: { service: "shiplog", entity: "waiting", version: "1" },
      attributes: {
        consumer: { type: "string", required: true },
        key: { type: "string", required: true },
        body: { type: "string", required: true },
        due: { type: "number", required: true },
        token: { type: "string", required: true },
        /** the same of all: one index partition of its own */
        kind: { type: "string", required: true },
        order: { type: "string", required: true },
      },
      indexes: {
        row: { pk: { field: "pk", composite: ["consumer", "key"], ...none }, sk: { field: "sk", composite: [], ...none } },
        byTime: {
          index: "gsi1",
          pk: { field: "gsi1pk", composite: ["kind"], ...none },
          sk: { field: "gsi1sk", composite: ["order"], ...none },
        },
      },
    },
    { client, table },
  );

/**
 * Messages that wait for a time of their own, in the table of views. A consumer that sent them to its own queue instead
 * would be stopped: Lambda counts how often a message leads to itself, and takes it for a loop after sixteen.
 */
export const waitingRows = (client: DynamoDBDocumentClient, table: string) => {
  const waiting = entityOf(client, table);
  return {
    noteWaiting: async ({ consumer, key, body, due, token }: Waiting): Promise<void> => {
      await waiting.put({ consumer, key, body, due, token, kind: KIND, order: orderOf(due) }).go();
    },
    waiting: async (consumer: string, key: string): Promise<Waiting | undefined> =>
      (await waiting.get({ consumer, key }).go({ consistent: true })).data ?? undefined,
    /** When the message is due that is due first, perhaps long ago. */
    firstDue: async (): Promise<number | undefined> => (await waiting.query.byTime({ kind: KIND }).go({ limit: 1, pages: 1 })).data[0]?.due,
    /** What is due by then, the oldest first, a page at a time; and what is due after `never`, which only a clock that was ahead explains. */
    dueBy: async function* (then: number, never: number): AsyncGenerator<readonly Waiting[]> {
      for (const asked of [
        () => waiting.query.byTime({ kind: KIND }).lte({ order: orderOf(then) }),
        () => waiting.query.byTime({ kind: KIND }).gt({ order: orderOf(never) }),
      ]) {
        for (let cursor: string | null = null; ; ) {
          const page: { data: Waiting[]; cursor: string | null } = await asked().go({ cursor, limit: 100 });
          yield page.data;
          cursor = page.cursor;
          if (cursor === null) break;
        }
      }
    },
    /** Forgets it, unless somebody waits under its name again. */
    forgetWaiting: async ({ consumer, key, token }: Pick<Waiting, "consumer" | "key" | "token">): Promise<void> => {
      await conditionalWrite(
        waiting
          .delete({ consumer, key })
          .where((row, { eq }) => eq(row.token, token))
          .go(),
      );
    },
  };
};
