import { DeleteMessageCommand, type Message, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { giveBack, hold, type Wanted } from "./peek.ts";

/** A message that was given up, still in its queue of dead letters. */
export type DeadLetter = {
  readonly consumer: string;
  readonly messageId: string;
  readonly reason: string;
  readonly at: string | null;
  readonly body: string;
  /** how often its consumer was given it; null where nobody counted */
  readonly tries: number | null;
};

/** A dead letter that nobody else is given for `HELD_SECONDS`. */
export type HeldLetter = DeadLetter & {
  /** puts its body into the queue that it comes from; it stays among the dead letters */
  sendAgain(): Promise<void>;
  remove(): Promise<void>;
  giveBack(): Promise<void>;
};

export type HeldLetters = {
  readonly letters: readonly HeldLetter[];
  /** there may be others, behind what was looked through */
  readonly more: boolean;
};

type Held = {
  /** of the dead letters, and of the queue that they come from */
  readonly dead: string;
  readonly origin: () => Promise<string>;
  readonly wanted: Wanted;
  read(message: Message): DeadLetter;
};

/** Holds the dead letters of a queue whose id begins like this. */
export const holdLetters = async (client: SQSClient, { dead, origin, wanted, read }: Held): Promise<HeldLetters> => {
  const { held, more } = await hold(client, dead, wanted);
  return {
    letters: held.map((message) => ({
      ...read(message),
      sendAgain: async () => {
        await client.send(new SendMessageCommand({ QueueUrl: await origin(), MessageBody: message.Body, ...placeOf(message) }));
      },
      remove: async () => {
        await client.send(new DeleteMessageCommand({ QueueUrl: dead, ReceiptHandle: message.ReceiptHandle }));
      },
      giveBack: () => giveBack(client, dead, [message]),
    })),
    more,
  };
};

/**
 * A FIFO queue takes a message into a group, and drops what has the number of one of the last five minutes: the first
 * number of this one may be such, so it is sent under one of its own, which two people at once share.
 */
const placeOf = ({ MessageId, Attributes = {} }: Message) =>
  Attributes.MessageGroupId === undefined
    ? {}
    : { MessageGroupId: Attributes.MessageGroupId, MessageDeduplicationId: `again-${MessageId}` };
