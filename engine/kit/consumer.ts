import { hash } from "node:crypto";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import * as z from "zod";
import { retrySeconds, stepReceives } from "../../blueprint/topology.ts";
import { handledTogether, type Together } from "./together.ts";

/** A message that no retry can help: it goes to the dead-letter queue at once, with its reason. */
export class Unprocessable extends Error {
  override readonly name = "Unprocessable";
}

/**
 * Try the same message again in a moment: what it waits for is not there yet, and nothing is wrong. Each time counts as one
 * of its tries, so who may have to wait for longer keeps the message as a row that waits (`engine/views/waiting-rows.ts`).
 */
export class NotYet extends Error {
  override readonly name = "NotYet";
  readonly seconds: number;
  constructor(message: string, seconds: number) {
    super(message);
    this.seconds = seconds;
  }
}

/** What a consumer does with messages besides handling them. */
export type RedeliveryQueue = {
  /** puts a message into the consumer's dead-letter queue with the reason; it must be there when this resolves */
  deadLetter(record: SQSRecord, reason: string): Promise<void>;
  /** makes a message visible again after that time, instead of the queue's whole visibility timeout */
  retryIn(record: SQSRecord, seconds: number): Promise<void>;
  /** whether a service was away, throttled, out of reach or at somebody else's change: the same call may do well later */
  isOutage(error: unknown): boolean;
  log(line: Readonly<Record<string, unknown>>): void;
};

/** Which delivery of the message this is. */
export type Delivery = {
  /** the message's id, the same in each of its deliveries */
  readonly message: string;
  readonly last: boolean;
  /** 1, 2, 3 … */
  readonly receives: number;
  /**
   * Whether a step of a deployment is given up because of this error: an outage is waited for as long as the message
   * comes, anything else for a minute. Who asks, and is told so, says in the log that the step failed and throws the
   * error again: its message is dead-lettered at once.
   *
   * @param idle deliveries that were no tries of the step: it could not begin
   */
  givesUp(error: unknown, idle?: number): boolean;
};
/** `again`: seconds until it comes again. */
type Outcome = "done" | { readonly again: number };
export type BatchHandler = (event: SQSEvent) => Promise<SQSBatchResponse>;

/**
 * Turns "what to do with one message" into a Lambda behind SQS. A message that throws is retried alone and dead-letters
 * alone, with its reason; the rest of the batch is acknowledged. Handlers must expect any message twice, late, or before
 * its predecessor.
 *
 * @param read checks a message at the door; what it throws is final: the same bytes will never be better
 * @param together which messages of a batch are handled as one; without it, none
 */
export const consumer =
  <T>(
    maxReceives: number,
    redelivery: RedeliveryQueue,
    read: (body: string) => T,
    handle: (message: T, delivery: Delivery) => Promise<void>,
    together?: Together<T>,
  ): BatchHandler =>
  async ({ Records }) => {
    const given = Records.map((record) => ({ record, reading: readOr(read, record) }));
    const batch = given.flatMap(({ reading }) => ("message" in reading ? [reading.message] : []));
    const handleOne = together === undefined ? handle : handledTogether(together, batch, handle);
    const outcomes = await Promise.all(given.map(async (one) => ({ record: one.record, outcome: await deliver(one) })));
    const again = outcomes.flatMap(({ record, outcome }) => (outcome === "done" ? [] : [{ record, seconds: outcome.again }]));
    // at the end of the batch: who hides its messages while it is worked on would undo an earlier wait
    await Promise.all(again.map(comesLater));
    return { batchItemFailures: again.map(({ record }) => ({ itemIdentifier: record.messageId })) };

    /** Where its wait cannot be set, it comes when the queue's own time is over. */
    async function comesLater({ record, seconds }: { record: SQSRecord; seconds: number }): Promise<void> {
      try {
        await redelivery.retryIn(record, seconds);
      } catch (error) {
        redelivery.log({ level: "warn", message: "a wait could not be set", messageId: record.messageId, reason: reasonOf(error) });
      }
    }

    async function deliver({ record, reading }: { record: SQSRecord; reading: Reading<T> }): Promise<Outcome> {
      try {
        if ("fault" in reading) return await deadLetter(record, reasonOf(reading.fault));
        return await dealWith(record, reading.message, receivesOf(record));
      } catch (error) {
        // the redelivery queue itself failed: the message comes again
        redelivery.log({
          level: "error",
          message: "a message could not be dead-lettered",
          messageId: record.messageId,
          reason: reasonOf(error),
        });
        return { again: waitOf(record) };
      }
    }

    async function dealWith(record: SQSRecord, message: T, receives: number): Promise<Outcome> {
      let givenUp: unknown;
      const givesUp = (error: unknown, idle = 0): boolean => {
        const isOver = receives >= maxReceives || (receives - idle >= stepReceives && !redelivery.isOutage(error));
        if (isOver) givenUp = error;
        return isOver;
      };
      try {
        await handleOne(message, { message: record.messageId, last: receives >= maxReceives, receives, givesUp });
        return "done";
      } catch (error) {
        if (error instanceof Unprocessable) return deadLetter(record, error.message);
        if (error instanceof NotYet) return { again: error.seconds };
        if (receives >= maxReceives || (givenUp !== undefined && error === givenUp))
          return deadLetter(record, `gave up after ${receives} tries: ${reasonOf(error)}`);
        redelivery.log({
          level: "warn",
          message: "a message failed and comes again",
          messageId: record.messageId,
          receives,
          reason: reasonOf(error),
        });
        return { again: waitOf(record) };
      }
    }

    async function deadLetter(record: SQSRecord, reason: string): Promise<"done"> {
      redelivery.log({ level: "error", message: "a message was dead-lettered", messageId: record.messageId, reason });
      await redelivery.deadLetter(record, reason);
      return "done";
    }
  };

/** A message as it came, or why it cannot be read. */
type Reading<T> = { readonly message: T } | { readonly fault: unknown };

const readOr = <T>(read: (body: string) => T, { body }: SQSRecord): Reading<T> => {
  try {
    return { message: read(body) };
  } catch (fault) {
    return { fault };
  }
};

const receivesOf = ({ attributes }: SQSRecord): number => Number(attributes.ApproximateReceiveCount);

/** The chance in a wait is the message's own: nothing is rolled, and two messages differ. */
const waitOf = (record: SQSRecord): number => {
  const receives = receivesOf(record);
  return retrySeconds(receives, Number.parseInt(hash("sha256", `${record.messageId} ${receives}`, "hex").slice(0, 8), 16) / 2 ** 32);
};

/** One line that a person can read; never a stack. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof z.ZodError) return error.issues.map((issue) => `${issue.path.join(".") || "message"}: ${issue.message}`).join("; ");
  return error instanceof Error ? `${error.name === "Error" ? "" : `${error.name}: `}${error.message}` : String(error);
};
