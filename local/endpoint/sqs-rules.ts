import { AwsError } from "../http.ts";

const PURGE_MS = 60_000;
/** The chain of invocations that led to a message: an attribute of the system's, which fauxqs keeps among the sender's. */
export const TRACE_HEADER = "AWSTraceHeader";

type Attributes = { MessageAttributes?: Record<string, object> };

/** What SQS does and fauxqs does not: it refuses to empty a queue twice within a minute, and keeps where a message comes from. */
export const sqsRules = (now: () => number = Date.now) => {
  const purged = new Map<string, number>();
  /** @param target the request's `x-amz-target`. Throws `AwsError` where SQS would answer with an error. */
  return (target: string | undefined, body: unknown, trace?: string): void => {
    if (trace !== undefined && target === "AmazonSQS.SendMessage") traced(body as Attributes, trace);
    if (trace !== undefined && target === "AmazonSQS.SendMessageBatch")
      for (const entry of (body as { Entries?: Attributes[] }).Entries ?? []) traced(entry, trace);
    if (target !== "AmazonSQS.PurgeQueue") return;
    const { QueueUrl } = body as { QueueUrl?: string };
    if (QueueUrl === undefined) return;
    const since = now() - (purged.get(QueueUrl) ?? Number.NEGATIVE_INFINITY);
    if (since >= 0 && since < PURGE_MS)
      throw new AwsError("PurgeQueueInProgress", 403, `Only one PurgeQueue operation on ${QueueUrl} is allowed every 60 seconds.`);
    purged.set(QueueUrl, now());
  };
};

const traced = (message: Attributes, trace: string): void => {
  message.MessageAttributes = { ...message.MessageAttributes, [TRACE_HEADER]: { DataType: "String", StringValue: trace } };
};
