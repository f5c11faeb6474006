import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { RecordStore } from "../record-store.ts";
import { functionArn, functionReference } from "./names.ts";
import { answer, input, type Operations, page } from "./operation.ts";
import { snapshotAt } from "./records.ts";
import { conflict, invalid } from "./refusals.ts";
import type { Registry } from "./registry.ts";

/** An event source mapping as stored: what to poll and whom to invoke. Another module does the polling. */
export type EventSourceMapping = {
  readonly uuid: string;
  readonly eventSourceArn: string;
  readonly functionName: string;
  /** An alias or version; undefined means `$LATEST`. */
  readonly qualifier: string | undefined;
  readonly enabled: boolean;
  readonly batchSize: number;
  readonly maximumBatchingWindowInSeconds: number;
  /** `["ReportBatchItemFailures"]` or empty. */
  readonly functionResponseTypes: readonly string[];
  readonly maximumConcurrency: number | undefined;
  /** Settings that are only given back (FilterCriteria, BisectBatchOnFunctionError, DestinationConfig …). */
  readonly passive: Readonly<Record<string, unknown>>;
  /** Seconds since 1970. */
  readonly lastModified: number;
};

const CreateInput = z.object({
  FunctionName: z.string(),
  EventSourceArn: z.string(),
  StartingPosition: z.enum(["TRIM_HORIZON", "LATEST"]).optional(),
  Enabled: z.boolean().default(true),
  BatchSize: z.int().min(1).max(10_000).optional(),
  MaximumBatchingWindowInSeconds: z.int().min(0).max(300).default(0),
  FunctionResponseTypes: z.array(z.literal("ReportBatchItemFailures")).max(1).default([]),
  ScalingConfig: z.object({ MaximumConcurrency: z.int().min(2).max(1000).optional() }).optional(),
  FilterCriteria: z.unknown().optional(),
  BisectBatchOnFunctionError: z.boolean().optional(),
  DestinationConfig: z.unknown().optional(),
  MaximumRecordAgeInSeconds: z.int().optional(),
  MaximumRetryAttempts: z.int().optional(),
  ParallelizationFactor: z.int().min(1).max(10).optional(),
});

/** Event source mappings, stored only. */
export const eventSourceOperations = (registry: Registry, store: RecordStore<EventSourceMapping>): Operations => ({
  CreateEventSourceMapping(call) {
    const asked = input(CreateInput, call);
    const { name, qualifier } = functionReference(asked.FunctionName);
    snapshotAt(registry.get(name), qualifier);
    const twin = store
      .all()
      .find((other) => other.eventSourceArn === asked.EventSourceArn && other.functionName === name && other.qualifier === qualifier);
    if (twin) {
      throw conflict(
        `An event source mapping with event source arn ${asked.EventSourceArn} and function ${functionArn(name, qualifier)} already exists. ` +
          `Please update or delete the existing mapping with UUID ${twin.uuid}`,
      );
    }
    const mapping = mappingOf(asked, name, qualifier);
    store.put(mapping.uuid, mapping);
    return answer(202, view(mapping, "Creating"));
  },

  ListEventSourceMappings(call) {
    const named = call.query.get("FunctionName");
    const reference = named ? functionReference(named) : undefined;
    const source = call.query.get("EventSourceArn");
    const all = store
      .all()
      .filter((mapping) => !source || mapping.eventSourceArn === source)
      .filter((mapping) => !reference || (mapping.functionName === reference.name && mapping.qualifier === reference.qualifier));
    const { page: some, ...rest } = page(all, ({ uuid }) => uuid, call);
    return answer(200, { EventSourceMappings: some.map((mapping) => view(mapping)), ...rest });
  },
});

/** @throws AwsError where the queue's kind does not go with the batch */
const mappingOf = (asked: z.output<typeof CreateInput>, functionName: string, qualifier: string | undefined): EventSourceMapping => {
  const { FunctionName: _, EventSourceArn, StartingPosition: __, Enabled, BatchSize, MaximumBatchingWindowInSeconds, ...more } = asked;
  const { FunctionResponseTypes, ScalingConfig, ...passive } = more;
  const queue = EventSourceArn.includes(":sqs:");
  const batchSize = BatchSize ?? (queue ? 10 : 100);
  const fifo = EventSourceArn.endsWith(".fifo");
  if (fifo && batchSize > 10) throw invalid("Batch size must be between 1 and 10 for a FIFO queue.");
  if (fifo && MaximumBatchingWindowInSeconds > 0) throw invalid("Batching window is not supported for FIFO queues");
  if (batchSize > 10 && queue && MaximumBatchingWindowInSeconds < 1) {
    throw invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10");
  }
  return {
    uuid: randomUUID(),
    eventSourceArn: EventSourceArn,
    functionName,
    qualifier,
    enabled: Enabled,
    batchSize,
    maximumBatchingWindowInSeconds: MaximumBatchingWindowInSeconds,
    functionResponseTypes: FunctionResponseTypes,
    maximumConcurrency: ScalingConfig?.MaximumConcurrency,
    passive,
    lastModified: Date.now() / 1000,
  };
};

/** `transition` is the state that the answer to the creation shows; a later read shows where it ended. */
const view = (mapping: EventSourceMapping, transition?: "Creating") => ({
  UUID: mapping.uuid,
  EventSourceArn: mapping.eventSourceArn,
  FunctionArn: functionArn(mapping.functionName, mapping.qualifier),
  BatchSize: mapping.batchSize,
  MaximumBatchingWindowInSeconds: mapping.maximumBatchingWindowInSeconds,
  FunctionResponseTypes: mapping.functionResponseTypes,
  ...(mapping.maximumConcurrency ? { ScalingConfig: { MaximumConcurrency: mapping.maximumConcurrency } } : {}),
  ...mapping.passive,
  State: transition ?? (mapping.enabled ? "Enabled" : "Disabled"),
  StateTransitionReason: "USER_INITIATED",
  LastModified: mapping.lastModified,
});
