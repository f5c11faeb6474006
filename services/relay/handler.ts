import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import { reasonOf } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { onLambda } from "../kit/lambda.ts";
import { bus, store, views } from "../kit/parts.ts";
import { relay } from "../kit/relay.ts";
import { commitOf } from "../store/codec.ts";

/** The event table's stream, in order per stream of events: at the first failure everything from there comes again. */
export const wire = ({ store, bus, views, log }: Pick<Engine, "store" | "bus" | "views" | "log">) => {
  const relayCommit = relay({ read: store.read, publish: bus.publish, relayed: views.relayed, setRelayed: views.setRelayed });
  return async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    for (const { eventName, dynamodb } of Records) {
      if (eventName === "REMOVE" || dynamodb?.NewImage === undefined) continue;
      try {
        await relayCommit(commitOf(dynamodb.NewImage as Record<string, AttributeValue>));
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

export const handler = onLambda({ store, bus, views }, wire);
