import { GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse } from "aws-lambda";
import type { LocalAws } from "./aws.ts";
import { pollQueue, type QueuePoller } from "./queue-poller.ts";

/** Runs the event source mappings of the sites' functions: a queue's messages go to the alias that the mapping names. */
export const runMappings = async (
  { lambda, clients, polls }: LocalAws,
  log: (line: string) => void,
): Promise<{ close(): Promise<void> }> => {
  const pollers: QueuePoller[] = [];
  for (const { eventSourceArn, functionName: name, qualifier = "$LATEST", batchSize } of lambda.mappings()) {
    const queueName = eventSourceArn.slice(eventSourceArn.lastIndexOf(":") + 1);
    const { QueueUrl = "" } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: queueName }));
    pollers.push(
      pollQueue({
        client: polls,
        fn: name,
        queueUrl: QueueUrl,
        queueArn: eventSourceArn,
        batchSize,
        concurrency: 1,
        invocations: lambda.concurrency,
        log,
        handle: async (event) => {
          const { payload, functionError } = await lambda.invoke(name, qualifier, JSON.stringify(event));
          if (functionError !== undefined) throw new Error(`${name}:${qualifier} failed: ${payload.toString("utf8").slice(0, 500)}`);
          return (JSON.parse(payload.toString("utf8") || "null") ?? { batchItemFailures: [] }) as SQSBatchResponse;
        },
      }),
    );
  }
  return { close: async () => void (await Promise.all(pollers.map((poller) => poller.close()))) };
};
