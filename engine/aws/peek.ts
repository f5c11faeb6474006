import { ChangeMessageVisibilityCommand, type Message, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";

/** Looks at the messages of a queue without taking them away; at most some dozens. */
export const peek = async (client: SQSClient, QueueUrl: string): Promise<Message[]> => {
  const found = new Map<string, Message>();
  const handles: string[] = [];
  for (let looks = 0; looks < 5; looks++) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 2,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["SentTimestamp"],
      }),
    );
    for (const message of Messages) {
      handles.push(message.ReceiptHandle ?? "");
      found.set(message.MessageId ?? "", message);
    }
    if (Messages.length < 10) break;
  }
  // who looks next must not find an empty queue; where this fails, they are hidden for two seconds
  await Promise.all(
    handles.map((ReceiptHandle) =>
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 })).catch(() => undefined),
    ),
  );
  return [...found.values()];
};

/** When a message was sent, as an ISO time; `null` where the queue does not say. */
export const sentAt = ({ Attributes = {} }: Message): string | null =>
  Attributes.SentTimestamp === undefined ? null : new Date(Number(Attributes.SentTimestamp)).toISOString();
