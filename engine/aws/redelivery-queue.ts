import { ChangeMessageVisibilityCommand, GetQueueUrlCommand, type Message, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type Consumer, consumers, deadLetterName, queueMaxReceives, queueName } from "../../blueprint/topology.ts";
import type { RedeliveryQueue } from "../kit/consumer.ts";
import { type DeadLetter, type HeldLetters, holdLetters } from "./dead-letter.ts";
import { isOutage, unlessMissing } from "./errors.ts";
import { peek, sentAt, type Wanted } from "./peek.ts";

/** The queues of the consumers and their dead letters. */
export const queues = (client: SQSClient, log: RedeliveryQueue["log"]) => {
  const urls = new Map<string, Promise<string>>();
  const urlOf = (name: string): Promise<string> => {
    const known = urls.get(name) ?? client.send(new GetQueueUrlCommand({ QueueName: name })).then(({ QueueUrl = "" }) => QueueUrl);
    urls.set(name, known);
    // a queue that is not there yet may be there the next time
    known.catch(() => urls.delete(name));
    return known;
  };

  const redelivery = (consumer: string): RedeliveryQueue => ({
    deadLetter: async (record, reason) => {
      await client.send(
        new SendMessageCommand({
          QueueUrl: await urlOf(deadLetterName(consumer)),
          MessageBody: record.body,
          MessageAttributes: {
            reason: text(reason),
            consumer: text(consumer),
            originalId: text(record.messageId),
            receives: text(record.attributes.ApproximateReceiveCount),
          },
        }),
      );
    },
    retryIn: async (record, seconds) => {
      const QueueUrl = await urlOf(queueName(consumer));
      await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: record.receiptHandle, VisibilityTimeout: seconds }));
    },
    isOutage,
    log,
  });

  return {
    redelivery,
    send: async (consumer: string, body: string): Promise<void> => {
      await client.send(new SendMessageCommand({ QueueUrl: await urlOf(queueName(consumer)), MessageBody: body }));
    },
    /** Looks at dead letters without taking them away; at most some dozens of each queue. `undefined` where that queue is gone. */
    deadLetters: async (consumer: string): Promise<DeadLetter[] | undefined> => {
      const messages = await unlessMissing(urlOf(deadLetterName(consumer)).then((url) => peek(client, url)));
      return messages?.map((message) => letterOf(consumer, message));
    },
    /** Holds the dead letters whose id begins like this; none where that queue is gone. */
    holdLetters: async (consumer: string, wanted: Wanted): Promise<HeldLetters> => {
      const dead = await unlessMissing(urlOf(deadLetterName(consumer)));
      if (dead === undefined) return { letters: [], more: false };
      const read = (message: Message): DeadLetter => letterOf(consumer, message);
      return holdLetters(client, { dead, origin: () => urlOf(queueName(consumer)), wanted, read });
    },
  };
};
export type Queues = ReturnType<typeof queues>;

/** Put aside by its consumer, by EventBridge, which could not put it into the queue, or by the queue itself. */
const letterOf = (consumer: string, message: Message): DeadLetter => {
  const { MessageId = "", Body = "", MessageAttributes: attributes = {} } = message;
  const said = attributes.reason?.StringValue ?? attributes.ERROR_MESSAGE?.StringValue;
  return {
    consumer,
    messageId: MessageId,
    reason: said ?? "it was received too often; the consumer crashed on it",
    at: sentAt(message),
    body: Body,
    tries: said === undefined ? maxReceivesOf(consumer) : numberOf(attributes.receives?.StringValue),
  };
};

const maxReceivesOf = (consumer: string): number | null => {
  const declared = (consumers as readonly Consumer[]).find(({ name }) => name === consumer);
  return declared === undefined ? null : queueMaxReceives(declared);
};

/** An older release did not count. */
const numberOf = (text: string | undefined): number | null => (text !== undefined && /^\d+$/.test(text) ? Number(text) : null);

/** SQS refuses empty values and some control characters. */
const text = (value: string) => ({
  DataType: "String",
  StringValue: value.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g, "?").slice(0, 2_000) || "none",
});
