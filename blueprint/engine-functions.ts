import { PREFIX } from "./prefix.ts";
import { type Consumer, type ConsumerName, consumers, schedules } from "./topology.ts";

/** A Lambda function of the engine; its code is `services/<name>/handler.ts`. */
export type EngineFunction = { readonly name: string; readonly timeoutSeconds: number; readonly memoryMb: number };

/** Reads the stream of the event table. */
export const relay = {
  name: "relay",
  timeoutSeconds: 60,
  memoryMb: 512,
  batchSize: 100,
  /** a record that fails so often, or is so old, is put aside in S3: without an end, one bad record blocks its shard for a day */
  retries: 10,
  maxAgeSeconds: 6 * 3600,
} as const;

/** Answers the HTTP API; API Gateway waits 30 seconds at most. */
export const api = { name: "api", timeoutSeconds: 29, memoryMb: 1024 } as const;

export type EngineFunctionName = ConsumerName | (typeof schedules)[number]["name"] | "relay" | "api";

export const engineFunctions: readonly EngineFunction[] = [...(consumers as readonly Consumer[]), ...schedules, relay, api];

export const functionName = (name: string): string => `${PREFIX}-${name}`;
export const logGroupName = (name: string): string => `/aws/lambda/${functionName(name)}`;
export const scheduleName = (name: string): string => `${PREFIX}-${name}`;

/** "publish-release" → "PublishRelease": how the infrastructure calls what belongs to a folder. */
export const componentName = (name: string): string => name.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** What the reconciler says in a line of its log after every run; alarms are made of its figures. */
export const reconciledLine = {
  message: "reconciled",
  oldestStepMinutes: "oldestStepMinutes",
  codeStoragePercent: "codeStoragePercent",
  /** of what waits for a time */
  overdueMinutes: "overdueMinutes",
} as const;
