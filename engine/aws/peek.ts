import { ChangeMessageVisibilityCommand, type Message, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";

const receive = async (
  client: SQSClient,
  QueueUrl: string,
  times: { readonly VisibilityTimeout: number; readonly WaitTimeSeconds?: number },
): Promise<Message[]> => {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      ...times,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["SentTimestamp", "MessageGroupId"],
    }),
  );
  return Messages;
};

/** Who looks next must not find an empty queue; where this fails, they are hidden until their time is over. */
export const giveBack = async (client: SQSClient, QueueUrl: string, messages: readonly Message[]): Promise<void> => {
  await Promise.all(
    messages.map(({ ReceiptHandle }) =>
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 })).catch(() => undefined),
    ),
  );
};

/** Looks at the messages of a queue without taking them away; at most some dozens. */
export const peek = async (client: SQSClient, QueueUrl: string): Promise<Message[]> => {
  const received: Message[] = [];
  for (let looks = 0; looks < 5; looks++) {
    const messages = await receive(client, QueueUrl, { VisibilityTimeout: 2 });
    received.push(...messages);
    if (messages.length < 10) break;
  }
  await giveBack(client, QueueUrl, received);
  return [...new Map(received.map((message) => [message.MessageId, message])).values()];
};

/**
 * How long a message is held for who decides of it: nobody else is given it. Whoever dies leaves it hidden so long; whoever
 * takes longer may find that somebody else has done the same.
 */
export const HELD_SECONDS = 5;
/** So many messages of a queue are looked through for one: ten at a time. */
export const LOOKED_THROUGH = 200;

/** `waitSeconds`: with one, all of SQS's servers are asked and what others just look at is met; with none, some of them. */
export type Wanted = { readonly beginning: string; readonly waitSeconds: 0 | 1 };

/**
 * Holds the messages whose id begins like this, and gives the others back. SQS cannot be asked for one message: the queue
 * is looked through, up to `LOOKED_THROUGH` messages; a FIFO queue hands out ten of each group. A whole id ends the search.
 *
 * @returns `more`: there may be others, behind what was looked through
 */
export const hold = async (
  client: SQSClient,
  QueueUrl: string,
  { beginning, waitSeconds }: Wanted,
): Promise<{ held: Message[]; more: boolean }> => {
  const seen = new Map<string, Message>();
  let more = true;
  try {
    for (let looks = 0; looks < LOOKED_THROUGH / 10 && more && !seen.has(beginning); looks++) {
      const messages = await receive(client, QueueUrl, { VisibilityTimeout: HELD_SECONDS, WaitTimeSeconds: waitSeconds });
      for (const message of messages) seen.set(message.MessageId ?? "", message);
      more = messages.length > 0;
    }
  } catch (error) {
    await giveBack(client, QueueUrl, [...seen.values()]);
    throw error;
  }
  const isWanted = ({ MessageId = "" }: Message): boolean =>
    seen.has(beginning) ? MessageId === beginning : MessageId.startsWith(beginning);
  const all = [...seen.values()];
  await giveBack(
    client,
    QueueUrl,
    all.filter((message) => !isWanted(message)),
  );
  return { held: all.filter(isWanted), more: more && !seen.has(beginning) };
};

/** When a message was sent, as an ISO time; `null` where the queue does not say. */
export const sentAt = ({ Attributes = {} }: Message): string | null =>
  Attributes.SentTimestamp === undefined ? null : new Date(Number(Attributes.SentTimestamp)).toISOString();
