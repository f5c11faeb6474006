import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import { reasonOf } from "../../engine/kit/consumer.ts";
import { commitOf, type Item } from "../../engine/log/codec.ts";
import { isCommit } from "../../engine/log/days.ts";
import { relay } from "../../engine/log/relay-commit.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { bus, rows, store } from "../../engine/wiring/parts.ts";

/** The event table's stream, in order per stream of events: at the first failure everything from there comes again. */
export const wire = ({ store, bus, rows, log }: Pick<Engine, "store" | "bus" | "rows" | "log">) => {
  const relayCommit = relay({ ...rows, read: store.read, publish: bus.publish });
  return async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    for (const { eventName, dynamodb } of Records) {
      if (eventName === "REMOVE" || dynamodb?.NewImage === undefined) continue;
      const item = dynamodb.NewImage as Item;
      if (!isCommit(item)) continue;
      try {
        await relayCommit(commitOf(item));
      } catch (error) {
        log({
          level: "error",
          message: "commits could not be relayed and come again",
          sequence: dynamodb.SequenceNumber,
          reason: reasonOf(error),
        });
        return { batchItemFailures: [{ itemIdentifier: dynamodb.SequenceNumber ?? "" }] };
      }
    }
    return { batchItemFailures: [] };
  };
};

export const handler = onLambda({ store, bus, rows }, wire);
