import { ChangeMessageVisibilityCommand, GetQueueUrlCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { deadLetterName, queueName } from "../../blueprint/topology.ts";
import type { RedeliveryQueue } from "../kit/consumer.ts";
import { isOutage, unlessMissing } from "./errors.ts";
import { peek, sentAt } from "./peek.ts";

export type DeadLetter = {
  readonly consumer: string;
  readonly messageId: string;
  readonly reason: string;
  readonly at: string | null;
  readonly body: string;
};

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
          MessageAttributes: { reason: text(reason), consumer: text(consumer), originalId: text(record.messageId) },
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
      return messages?.map((message) => {
        const { MessageId = "", Body = "", MessageAttributes: attributes = {} } = message;
        const reason =
          attributes.reason?.StringValue ??
          attributes.ERROR_MESSAGE?.StringValue ??
          "it was received too often; the consumer crashed on it";
        return { consumer, messageId: MessageId, reason, at: sentAt(message), body: Body };
      });
    },
  };
};
export type Queues = ReturnType<typeof queues>;

/** SQS refuses empty values and some control characters. */
const text = (value: string) => ({
  DataType: "String",
  StringValue: value.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g, "?").slice(0, 2_000) || "none",
});
