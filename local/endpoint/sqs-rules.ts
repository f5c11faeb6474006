import { AwsError } from "../http.ts";

const PURGE_MS = 60_000;

/** What SQS refuses and fauxqs does not: to empty a queue twice within a minute. */
export const sqsRules = (now: () => number = Date.now) => {
  const purged = new Map<string, number>();
  /** @param target the request's `x-amz-target`. Throws `AwsError` where SQS would answer with an error. */
  return (target: string | undefined, body: unknown): void => {
    if (target !== "AmazonSQS.PurgeQueue") return;
    const { QueueUrl } = body as { QueueUrl?: string };
    if (QueueUrl === undefined) return;
    const since = now() - (purged.get(QueueUrl) ?? Number.NEGATIVE_INFINITY);
    if (since >= 0 && since < PURGE_MS)
      throw new AwsError("PurgeQueueInProgress", 403, `Only one PurgeQueue operation on ${QueueUrl} is allowed every 60 seconds.`);
    purged.set(QueueUrl, now());
  };
};
