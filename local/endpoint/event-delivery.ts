import { setTimeout as pause } from "node:timers/promises";
import { AwsError } from "../http.ts";
import type { QueueMessage } from "./queues-and-objects.ts";

/** An event as it lies in a queue: EventBridge's envelope. */
export type BusEvent = {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
};

/** Where a rule sends its events: an SQS queue, as `PutTargets` takes it. */
export type Target = {
  readonly Id: string;
  readonly Arn: string;
  readonly SqsParameters?: { readonly MessageGroupId?: string };
  readonly DeadLetterConfig?: { readonly Arn?: string };
};

export type Send = (queueArn: string, message: QueueMessage) => void;

const PAUSES_MS = [20, 100, 500];

/**
 * Delivers one event to one target; it is in a queue, dead-lettered or reported when this resolves. Never rejects.
 * What SQS refuses (no such queue, no group id) is not tried again, as EventBridge does; anything else three times.
 */
export async function deliver(event: BusEvent, ruleArn: string, target: Target, send: Send): Promise<void> {
  const body = JSON.stringify(event);
  const failure = await attempt(() => send(target.Arn, { body, groupId: target.SqsParameters?.MessageGroupId }));
  if (!failure) return;

  const reason = `event ${event.id} (${event.source} ${event["detail-type"]}) not delivered to ${target.Arn} by ${ruleArn}: ${failure.message}`;
  const deadLetters = target.DeadLetterConfig?.Arn;
  if (!deadLetters) return console.error(`local endpoint: ${reason}; dropped, the target has no dead-letter queue`);

  const attributes = { ERROR_CODE: errorCode(failure), ERROR_MESSAGE: failure.message, RULE_ARN: ruleArn, TARGET_ARN: target.Arn };
  const second = await attempt(() => send(deadLetters, { body, attributes }));
  if (second) console.error(`local endpoint: ${reason}; dropped, its dead-letter queue failed too: ${second.message}`);
}

async function attempt(act: () => void): Promise<Error | undefined> {
  for (const wait of [...PAUSES_MS, undefined]) {
    try {
      act();
      return undefined;
    } catch (error) {
      if (error instanceof AwsError || wait === undefined) return error as Error;
      await pause(wait);
    }
  }
  return undefined;
}

/** EventBridge's own names for what SQS answers. */
function errorCode(error: Error): string {
  if (!(error instanceof AwsError)) return "SDK_CLIENT_ERROR";
  return error.code === "QueueDoesNotExist" ? "NO_RESOURCE" : "INVALID_PARAMETER";
}
