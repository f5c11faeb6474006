import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import * as z from "zod";

/** A message that no retry can help: it goes to the dead-letter queue at once, with its reason. */
export class Unprocessable extends Error {
  override readonly name = "Unprocessable";
}

/** Try the same message again later, as if it were new: what it waits for is not there yet, and nothing is wrong. */
export class NotYet extends Error {
  override readonly name = "NotYet";
  readonly seconds: number;
  constructor(message: string, seconds: number) {
    super(message);
    this.seconds = seconds;
  }
}

/** What a consumer does with messages besides handling them. */
export type Mailroom = {
  /** puts a message into the consumer's dead-letter queue with the reason; it must be there when this resolves */
  quarantine(record: SQSRecord, reason: string): Promise<void>;
  /** makes a failed message visible again after that time, instead of the queue's whole visibility timeout */
  retryIn(record: SQSRecord, seconds: number): Promise<void>;
  /** sends the same body again, to be delivered after that time */
  sendLater(record: SQSRecord, seconds: number): Promise<void>;
  log(line: Readonly<Record<string, unknown>>): void;
};

/** Which delivery of the message this is. */
export type Delivery = {
  readonly last: boolean;
  /** an earlier delivery of the same message did not end well: its effects may be half done */
  readonly again: boolean;
};
export type BatchHandler = (event: SQSEvent) => Promise<SQSBatchResponse>;

/**
 * Turns "what to do with one message" into a Lambda behind SQS. A message that throws is retried alone and dead-letters
 * alone, with its reason; the rest of the batch is acknowledged. Handlers must expect any message twice, late, or before
 * its predecessor.
 *
 * @param read checks a message at the door; what it throws is final: the same bytes will never be better
 */
export const consumer =
  <T>(
    maxReceives: number,
    mailroom: Mailroom,
    read: (body: string) => T,
    handle: (message: T, delivery: Delivery) => Promise<void>,
  ): BatchHandler =>
  async ({ Records }) => {
    const outcomes = await Promise.all(Records.map((record) => deliver(record)));
    return { batchItemFailures: outcomes.flatMap((itemIdentifier) => (itemIdentifier === undefined ? [] : [{ itemIdentifier }])) };

    /** The id of a message that must come again; `undefined` once it is dealt with. */
    async function deliver(record: SQSRecord): Promise<string | undefined> {
      try {
        const receives = Number(record.attributes.ApproximateReceiveCount);
        return (await dealWith(record, receives)) === "again" ? record.messageId : undefined;
      } catch (error) {
        // the mailroom itself failed: the queue's own redelivery takes over
        mailroom.log({ level: "error", message: "a message could not be put aside", messageId: record.messageId, reason: reasonOf(error) });
        return record.messageId;
      }
    }

    async function dealWith(record: SQSRecord, receives: number): Promise<"done" | "again"> {
      let message: T;
      try {
        message = read(record.body);
      } catch (error) {
        return putAside(record, reasonOf(error));
      }
      try {
        await handle(message, { last: receives >= maxReceives, again: receives > 1 });
        return "done";
      } catch (error) {
        if (error instanceof Unprocessable) return putAside(record, error.message);
        if (error instanceof NotYet) {
          await mailroom.sendLater(record, error.seconds);
          return "done";
        }
        if (receives >= maxReceives) return putAside(record, `gave up after ${receives} tries: ${reasonOf(error)}`);
        mailroom.log({
          level: "warn",
          message: "a message failed and comes again",
          messageId: record.messageId,
          receives,
          reason: reasonOf(error),
        });
        await mailroom.retryIn(record, Math.min(2 ** receives, 60)).catch(() => undefined);
        return "again";
      }
    }

    async function putAside(record: SQSRecord, reason: string): Promise<"done"> {
      mailroom.log({ level: "error", message: "a message was quarantined", messageId: record.messageId, reason });
      await mailroom.quarantine(record, reason);
      return "done";
    }
  };

/** One line that a person can read; never a stack. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof z.ZodError) return error.issues.map((issue) => `${issue.path.join(".") || "message"}: ${issue.message}`).join("; ");
  return error instanceof Error ? `${error.name === "Error" ? "" : `${error.name}: `}${error.message}` : String(error);
};
