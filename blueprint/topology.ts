import type { EngineEvent, EventOf } from "../domain/aggregates.ts";
import { notableTypes } from "../domain/webhook/notable.ts";
import { PREFIX } from "./prefix.ts";

/**
 * The one list of consumers, their event patterns and their queues. Data alone: AWS (SST) and the local endpoint both
 * read it, so what runs locally and what is deployed cannot drift apart.
 */

/** An EventBridge event pattern. */
export type EventPattern = { readonly [field: string]: readonly unknown[] | EventPattern };

export type Consumer = {
  /** folder in services/, name of its queue, its rule and its function */
  readonly name: string;
  /** `engine` is Shiplog's own bus; `default` is the account's, where CodeBuild reports */
  readonly bus: "engine" | "default";
  /** null: no rule feeds its queue, another consumer does */
  readonly pattern: EventPattern | null;
  /** seconds that one batch may take; the queue hides a message six times as long */
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /** deliveries before a message goes to the dead-letter queue with its reason */
  readonly maxReceives: number;
  /** messages handed over at once */
  readonly batchSize: number;
  /** batches at once, where the usual number is not enough */
  readonly concurrency?: number;
};

/** A subscription to events of deployments, of environments, or of both: what a consumer's verb is given follows from it. */
const deployment = <T extends EventOf<"deployment">["type"]>(...types: readonly T[]) => ({
  source: ["shiplog.deployment"],
  "detail-type": types,
});
const environment = <T extends EventOf<"environment">["type"]>(...types: readonly T[]) => ({
  source: ["shiplog.environment"],
  "detail-type": types,
});
const either = <T extends EventOf<"deployment" | "environment">["type"]>(...types: readonly T[]) => ({
  source: ["shiplog.deployment", "shiplog.environment"],
  "detail-type": types,
});

/**
 * How a failed message comes again: at first soon, then every five minutes. All waits together outlast an hour's outage of
 * whatever the consumer needs, at the shortest that chance makes them.
 */
export const retries = { maxReceives: 24, firstSeconds: 2, longestSeconds: 300, jitter: 0.2 } as const;
/** A step of a deployment whose own fault it is says so after this many receives, within a minute or two: people wait for it. */
export const stepReceives = 6;

/**
 * Seconds until a message comes again that failed that often.
 *
 * @param chance 0–1: what failed together does not come again together
 */
export const retrySeconds = (receives: number, chance: number): number =>
  Math.ceil(Math.min(retries.firstSeconds * 2 ** (receives - 1), retries.longestSeconds) * (1 - retries.jitter * chance));

const usual = { bus: "engine", timeoutSeconds: 30, memoryMb: 512, maxReceives: retries.maxReceives, batchSize: 10 } as const;

export const consumers = [
  { ...usual, name: "start-build", pattern: deployment("DeploymentQueued") },
  { ...usual, name: "stop-build", pattern: deployment("CancelRequested", "BuildStarted") },
  {
    ...usual,
    name: "watch-build",
    bus: "default",
    pattern: {
      source: ["aws.codebuild"],
      "detail-type": ["CodeBuild Build State Change"],
      detail: { "project-name": [{ prefix: `${PREFIX}-` }] },
    },
  },
  // one release at a time: unpacking and zipping want the whole function
  { ...usual, name: "publish-release", pattern: deployment("BuildSucceeded"), timeoutSeconds: 600, memoryMb: 2048, batchSize: 1 },
  { ...usual, name: "flip-alias", pattern: environment("FlipRequested"), timeoutSeconds: 120, batchSize: 1 },
  {
    ...usual,
    name: "advance",
    pattern: either(
      "DeploymentAdmitted",
      "ChecksPassed",
      "FlipHeld",
      "FlipSuperseded",
      "FlipFailed",
      "ReleaseWentLive",
      "DeploymentCancelled",
      "DeploymentFailed",
    ),
  },
  { ...usual, name: "end-release", pattern: environment("ReleaseEnded") },
  { ...usual, name: "notify", pattern: either(...notableTypes) },
  // `notify` feeds it, and `wake` with what must be tried again: one message is one request to somebody else's server,
  // which may take its time, so each has a hand of its own
  { ...usual, name: "deliver", pattern: null, timeoutSeconds: 60, batchSize: 1, concurrency: 16 },
  // `wake` and the API feed it: one message tells one subscription what it has not taken yet, many requests one after another
  { ...usual, name: "feed", pattern: null, timeoutSeconds: 90, batchSize: 1, concurrency: 16 },
  // the reconciler and the API feed it: it looks through all that lies in an environment's places. Lambda's API takes few calls a
  // second of the whole account, and nobody waits for it
  { ...usual, name: "sweep", pattern: null, timeoutSeconds: 600, memoryMb: 1024, batchSize: 1, concurrency: 2 },
  { ...usual, name: "project", pattern: { source: [{ prefix: "shiplog." }] } },
] as const satisfies readonly Consumer[];

export type ConsumerName = (typeof consumers)[number]["name"];

/** The events that a consumer subscribes to. */
export type Subscribed<N extends ConsumerName> = Extract<(typeof consumers)[number], { readonly name: N }>["pattern"] extends {
  readonly "detail-type": readonly (infer T)[];
}
  ? Extract<EngineEvent, { readonly type: T }>
  : never;

/** Runs on a timer instead of a queue. */
export const schedules = [
  { name: "reconcile", everySeconds: 120, timeoutSeconds: 110, memoryMb: 512 },
  // an hour apart: once a day a run seals what is in no seal yet
  { name: "seal", everySeconds: 3_600, timeoutSeconds: 600, memoryMb: 1_024 },
  // a minute is the shortest that EventBridge has
  { name: "wake", everySeconds: 60, timeoutSeconds: 55, memoryMb: 512 },
] as const;

export const queueName = (consumer: string): string => `${PREFIX}-${consumer}`;
export const deadLetterName = (consumer: string): string => `${PREFIX}-${consumer}-dead`;
export const ruleName = (consumer: string): string => `${PREFIX}-${consumer}`;
/** AWS asks for six times the function's timeout; batches of ten or fewer need no window. */
export const visibilitySeconds = (consumer: Consumer): number => consumer.timeoutSeconds * 6;
/** The consumer puts a message aside itself, with its reason; its queue does so where the consumer crashed. */
export const queueMaxReceives = (consumer: Consumer): number => consumer.maxReceives + 2;
/** A dead letter is kept for the longest that SQS allows: longer than any queue keeps a message. */
export const deadLetterRetentionSeconds = 14 * 24 * 3600;
export const queueRetentionSeconds = 4 * 24 * 3600;

export const BUS = PREFIX;
/** alias of the key that seals are signed with */
export const SEAL_KEY = `alias/${PREFIX}-seals`;
export const EVENTS_TABLE = `${PREFIX}-events`;
/** The URL and the signing secret of a webhook endpoint, by its id. */
export const webhookSecret = (id: string): string => `${PREFIX}/webhooks/${id}`;
export const VIEWS_TABLE = `${PREFIX}-views`;

/** The names of people, whom the log has by pseudonyms alone. Whatever is removed from it is forgotten. */
export const PEOPLE_TABLE = `${PREFIX}-people`;

/** Folds of streams, so that a load costs what is new. All of it can be dropped. */
export const SNAPSHOTS_TABLE = `${PREFIX}-snapshots`;
