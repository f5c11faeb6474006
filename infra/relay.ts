import { relay as declared } from "../blueprint/engine-functions.ts";
import { buckets } from "./buckets.ts";
import { engineFunction } from "./engine-function.ts";
import { eventsTable } from "./event-store.ts";

/** Puts every commit on the bus, in order per stream of events: one reader per shard, and one bad record stops nobody for long. */
export const relay = engineFunction(declared);

new aws.lambda.EventSourceMapping("RelayMapping", {
  eventSourceArn: eventsTable.nodes.table.streamArn,
  functionName: relay.name,
  startingPosition: "TRIM_HORIZON",
  batchSize: declared.batchSize,
  parallelizationFactor: 1,
  bisectBatchOnFunctionError: true,
  maximumRetryAttempts: declared.retries,
  maximumRecordAgeInSeconds: declared.maxAgeSeconds,
  functionResponseTypes: ["ReportBatchItemFailures"],
  // S3 gets the records themselves; a queue would get sequence numbers alone. The mender sends them again in any case
  destinationConfig: { onFailure: { destinationArn: buckets.artifacts.arn } },
});
