import { randomUUID } from "node:crypto";
import * as z from "zod";
import { type FunctionReference, functionArn, functionReference } from "./names.ts";
import { answer, type Call, input, type Operations, page } from "./operation.ts";
import type { RecordStore } from "./record-store.ts";
import { snapshotAt } from "./records.ts";
import { conflict, invalid, notFound } from "./refusals.ts";
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

const Settings = z.object({
  FunctionName: z.string().optional(),
  Enabled: z.boolean().optional(),
  BatchSize: z.int().min(1).max(10_000).optional(),
  MaximumBatchingWindowInSeconds: z.int().min(0).max(300).optional(),
  FunctionResponseTypes: z.array(z.literal("ReportBatchItemFailures")).max(1).optional(),
  ScalingConfig: z.object({ MaximumConcurrency: z.int().min(2).max(1000).optional() }).optional(),
  FilterCriteria: z.unknown().optional(),
  BisectBatchOnFunctionError: z.boolean().optional(),
  DestinationConfig: z.unknown().optional(),
  MaximumRecordAgeInSeconds: z.int().optional(),
  MaximumRetryAttempts: z.int().optional(),
  ParallelizationFactor: z.int().min(1).max(10).optional(),
});
const CreateInput = Settings.extend({
  FunctionName: z.string(),
  EventSourceArn: z.string(),
  StartingPosition: z.enum(["TRIM_HORIZON", "LATEST"]).optional(),
});

/** Event source mappings, stored only. */
export const eventSourceOperations = (registry: Registry, store: RecordStore<EventSourceMapping>): Operations => {
  const at = (call: Call): EventSourceMapping => {
    const mapping = store.get(call.path[0] ?? "");
    if (!mapping) throw notFound("The resource you requested does not exist.");
    return mapping;
  };
  const target = (functionName: string): FunctionReference => {
    const reference = functionReference(functionName);
    snapshotAt(registry.get(reference.name), reference.qualifier);
    return reference;
  };
  const put = (mapping: EventSourceMapping): void => store.put(mapping.uuid, mapping);

  return {
    CreateEventSourceMapping(call) {
      const { EventSourceArn, FunctionName, ...settings } = input(CreateInput, call);
      const { name, qualifier } = target(FunctionName);
      const twin = store
        .all()
        .find((other) => other.eventSourceArn === EventSourceArn && other.functionName === name && other.qualifier === qualifier);
      if (twin) {
        throw conflict(
          `An event source mapping with event source arn ${EventSourceArn} and function ${functionArn(name, qualifier)} already exists. ` +
            `Please update or delete the existing mapping with UUID ${twin.uuid}`,
        );
      }
      const mapping = changed(
        {
          uuid: randomUUID(),
          eventSourceArn: EventSourceArn,
          functionName: name,
          qualifier,
          enabled: true,
          batchSize: EventSourceArn.includes(":sqs:") ? 10 : 100,
          maximumBatchingWindowInSeconds: 0,
          functionResponseTypes: [],
          maximumConcurrency: undefined,
          passive: {},
          lastModified: 0,
        },
        settings,
      );
      put(mapping);
      return answer(202, view(mapping, "Creating"));
    },

    GetEventSourceMapping: (call) => answer(200, view(at(call))),

    UpdateEventSourceMapping(call) {
      const { FunctionName, ...settings } = input(Settings, call);
      const before = at(call);
      const { name, qualifier } = FunctionName ? target(FunctionName) : { name: before.functionName, qualifier: before.qualifier };
      const mapping = changed({ ...before, functionName: name, qualifier }, settings);
      put(mapping);
      return answer(202, view(mapping, "Updating"));
    },

    DeleteEventSourceMapping(call) {
      const mapping = at(call);
      store.remove(mapping.uuid);
      return answer(202, view(mapping, "Deleting"));
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
  };
};

const changed = (before: EventSourceMapping, settings: Omit<z.output<typeof Settings>, "FunctionName">): EventSourceMapping => {
  const { Enabled, BatchSize, MaximumBatchingWindowInSeconds, FunctionResponseTypes, ScalingConfig, ...passive } = settings;
  const given = Object.fromEntries(Object.entries(passive).filter(([, value]) => value !== undefined));
  const after: EventSourceMapping = {
    ...before,
    enabled: Enabled ?? before.enabled,
    batchSize: BatchSize ?? before.batchSize,
    maximumBatchingWindowInSeconds: MaximumBatchingWindowInSeconds ?? before.maximumBatchingWindowInSeconds,
    functionResponseTypes: FunctionResponseTypes ?? before.functionResponseTypes,
    maximumConcurrency: ScalingConfig ? ScalingConfig.MaximumConcurrency : before.maximumConcurrency,
    passive: { ...before.passive, ...given },
    lastModified: Date.now() / 1000,
  };
  const fifo = after.eventSourceArn.endsWith(".fifo");
  if (fifo && after.batchSize > 10) throw invalid("Batch size must be between 1 and 10 for a FIFO queue.");
  if (fifo && after.maximumBatchingWindowInSeconds > 0) throw invalid("Batching window is not supported for FIFO queues");
  if (after.batchSize > 10 && after.eventSourceArn.includes(":sqs:") && after.maximumBatchingWindowInSeconds < 1) {
    throw invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10");
  }
  return after;
};

/** `transition` is the state that the answer to a change shows; a later read shows where it ended. */
const view = (mapping: EventSourceMapping, transition?: "Creating" | "Updating" | "Deleting") => ({
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
