import { setTimeout as sleep } from "node:timers/promises";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { TRACE_HEADER } from "./endpoint/sqs-rules.ts";
import { REGION } from "./http.ts";
import type { Executions } from "./lambda/concurrency.ts";
import { asInvocation, invocationsIn, MAX_INVOCATIONS } from "./lambda/lineage.ts";

export type QueuePoller = { close(): Promise<void> };

export type QueuePollerOptions = {
  readonly client: SQSClient;
  /** whose messages these are: Lambda counts how often it was invoked in the chain that led to one */
  readonly fn: string;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly batchSize: number;
  /** batches under way at once; 1 keeps a FIFO queue's order */
  readonly concurrency: number;
  /** of the account, in which each batch is one */
  readonly invocations: Pick<Executions, "beginWhenFree">;
  /** a throw fails the whole batch, as on Lambda */
  handle(event: SQSEvent): Promise<SQSBatchResponse | undefined>;
  log(line: string): void;
};

/**
 * A message is hidden for this long and hidden again while it is worked on: after a crash it is back within seconds,
 * where Lambda would wait for the queue's whole visibility timeout.
 */
const VISIBILITY_SECONDS = 8;
const HEARTBEAT_MS = 3_000;
/** A batch that found no room until then is let go: its messages are about to be seen again. */
const PATIENCE_MS = (VISIBILITY_SECONDS - 1) * 1_000;
const WAIT_SECONDS = 10;

/** Lambda's event source mapping: receives, hands over, deletes what succeeded and leaves the rest to come again. */
export const pollQueue = ({
  client,
  fn,
  queueUrl: QueueUrl,
  queueArn,
  batchSize,
  concurrency,
  invocations,
  handle,
  log,
}: QueuePollerOptions): QueuePoller => {
  const closing = new AbortController();
  const working = new Set<Promise<void>>();
  const polling = poll();
  return {
    close: async () => {
      closing.abort();
      await polling;
      await Promise.all(working);
    },
  };

  /** One request waits for messages, however many batches are worked on: each one that waits holds a connection. */
  async function poll(): Promise<void> {
    while (!closing.signal.aborted) {
      if (working.size >= concurrency) {
        await Promise.race(working);
        continue;
      }
      try {
        const messages = await receive();
        if (messages.length > 0) begin(messages);
      } catch (error) {
        if (closing.signal.aborted) return;
        complain(error);
        await sleep(500, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  async function receive(): Promise<readonly Message[]> {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: batchSize,
        WaitTimeSeconds: WAIT_SECONDS,
        VisibilityTimeout: VISIBILITY_SECONDS,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      }),
      { abortSignal: closing.signal },
    );
    return Messages;
  }

  function begin(received: readonly Message[]): void {
    const messages = received.filter((message) => !isLoop(message));
    if (messages.length === 0) return;
    const batch: Promise<void> = workWhenFree(messages)
      .catch(complain)
      .finally(() => working.delete(batch));
    working.add(batch);
  }

  /** Lambda leaves it where it is: it comes again until its queue puts it among the dead letters. */
  function isLoop(message: Message): boolean {
    if (invocationsIn(traceOf(message), fn) < MAX_INVOCATIONS) return false;
    log(`queue ${queueArn}: RecursiveInvocationException: ${fn} was invoked ${MAX_INVOCATIONS} times in the chain of a message`);
    return true;
  }

  function complain(error: unknown): void {
    log(`queue ${queueArn}: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** While the account has no room for another invocation, Lambda tries again until the messages are seen again. */
  async function workWhenFree(messages: readonly Message[]): Promise<void> {
    const received = performance.now();
    const end = await invocations.beginWhenFree(AbortSignal.any([closing.signal, AbortSignal.timeout(PATIENCE_MS)]));
    if (end === undefined) {
      if (!closing.signal.aborted) log(`queue ${queueArn}: throttled: ${fn} finds no room, and ${messages.length} messages come again`);
      return;
    }
    try {
      if (performance.now() - received > HEARTBEAT_MS) await Promise.all(messages.map(hide));
      await work(messages);
    } finally {
      end();
    }
  }

  async function work(messages: readonly Message[]): Promise<void> {
    const pulse = setInterval(() => void Promise.all(messages.map(hide)).catch(() => undefined), HEARTBEAT_MS);
    let failed: ReadonlySet<string>;
    try {
      const event = { Records: messages.map((message) => recordOf(message, queueArn)) };
      const answer = await asInvocation(fn, messages.map(traceOf), () => handle(event));
      failed = new Set(answer?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    } catch (error) {
      log(`queue ${queueArn}: a whole batch failed: ${error instanceof Error ? error.message : String(error)}`);
      failed = new Set(messages.map(({ MessageId = "" }) => MessageId));
    } finally {
      clearInterval(pulse);
    }
    await Promise.all(
      messages
        .filter(({ MessageId = "" }) => !failed.has(MessageId))
        .map(({ ReceiptHandle }) => client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))),
    );
  }

  function hide({ ReceiptHandle }: Message): Promise<unknown> {
    return client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: VISIBILITY_SECONDS }));
  }
};

const traceOf = ({ MessageAttributes }: Message): string | undefined => MessageAttributes?.[TRACE_HEADER]?.StringValue;

const recordOf = (message: Message, eventSourceARN: string): SQSRecord => ({
  messageId: message.MessageId ?? "",
  receiptHandle: message.ReceiptHandle ?? "",
  body: message.Body ?? "",
  attributes: message.Attributes as unknown as SQSRecord["attributes"],
  messageAttributes: Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType = "String", StringValue }]) => [
      name,
      { dataType: DataType as "String", ...(StringValue !== undefined && { stringValue: StringValue }) },
    ]),
  ),
  md5OfBody: message.MD5OfBody ?? "",
  eventSource: "aws:sqs",
  eventSourceARN,
  awsRegion: REGION,
});
