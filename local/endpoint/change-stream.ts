import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { REGION } from "../http.ts";

/** A value in DynamoDB's own notation, e.g. `{ S: "text" }`. */
export type AttributeValue = Readonly<Record<string, unknown>>;
export type Item = Readonly<Record<string, AttributeValue>>;

export type StreamView = "KEYS_ONLY" | "NEW_IMAGE" | "OLD_IMAGE" | "NEW_AND_OLD_IMAGES";

/** One change of one item, in the shape that a Lambda function behind a table's stream gets. */
export type StreamRecord = {
  readonly eventID: string;
  readonly eventName: "INSERT" | "MODIFY" | "REMOVE";
  readonly eventVersion: "1.1";
  readonly eventSource: "aws:dynamodb";
  readonly awsRegion: string;
  readonly eventSourceARN: string;
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Item;
    readonly NewImage?: Item;
    readonly OldImage?: Item;
    readonly SequenceNumber: string;
    readonly StreamViewType: StreamView;
  };
};

export type StreamHandler = (records: StreamRecord[]) => Promise<void>;

/** The stream of a table: its ARN, what its records hold, and the table's key attributes. */
export type StreamSpec = { readonly arn: string; readonly view: StreamView; readonly keys: readonly string[] };

export type ChangeStreams = {
  /** Records one change; nothing is done where nobody listens. `before` or `after` is undefined when the item was not or is no more. */
  changed(table: string, spec: StreamSpec, before: Item | undefined, after: Item | undefined): void;
  subscribe(table: string, handler: StreamHandler): () => void;
  /** Delivers no more, and waits for the batches that are being handled (5 s at most). */
  close(): Promise<void>;
};

const BATCH = 100;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;
const MAX_CLOSE_MS = 5_000;

type Subscription = { readonly stop: AbortController; waiting: StreamRecord[]; running: Promise<void> | undefined; wake: () => void };

/**
 * Delivery of tables' changes to handlers in this process. One subscription delivers one batch at a time, in the order
 * of the writes, and repeats a batch that failed until it succeeds, as an event source mapping without a retry limit does.
 * What was not delivered when the process ends is lost: unlike DynamoDB's, this stream is not kept on disk.
 */
export function createChangeStreams(): ChangeStreams {
  const subscriptions = new Map<string, Set<Subscription>>();

  return {
    changed(table, spec, before, after) {
      const listening = subscriptions.get(table);
      if (!listening || listening.size === 0) return;
      if (JSON.stringify(before) === JSON.stringify(after)) return; // also the deletion of nothing
      const record = toRecord(spec, before, after);
      for (const subscription of listening) {
        subscription.waiting.push(record);
        subscription.wake();
      }
    },

    subscribe(table, handler) {
      const subscription: Subscription = { stop: new AbortController(), waiting: [], running: undefined, wake: () => {} };
      subscription.wake = () => {
        subscription.running ??= deliver(table, subscription, handler).finally(() => {
          subscription.running = undefined;
        });
      };
      const listening = subscriptions.get(table) ?? new Set();
      subscriptions.set(table, listening.add(subscription));
      return () => {
        subscription.stop.abort();
        listening.delete(subscription);
      };
    },

    async close() {
      const all = [...subscriptions.values()].flatMap((listening) => [...listening]);
      for (const { stop } of all) stop.abort();
      subscriptions.clear();
      await Promise.race([Promise.all(all.map(({ running }) => running)), sleep(MAX_CLOSE_MS, undefined, { ref: false })]);
    },
  };
}

async function deliver(table: string, subscription: Subscription, handler: StreamHandler): Promise<void> {
  await Promise.resolve(); // the writer's own turn ends first
  const { signal } = subscription.stop;
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted && subscription.waiting.length > 0) {
    const batch = subscription.waiting.slice(0, BATCH);
    try {
      await handler(batch);
      subscription.waiting.splice(0, batch.length);
      pause = FIRST_PAUSE_MS;
    } catch (error) {
      console.error(`local endpoint: the handler of ${table}'s stream failed on ${batch.length} records; again in ${pause} ms:`, error);
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {}); // woken early when the delivery is to stop
      pause = Math.min(pause * 2, MAX_PAUSE_MS);
    }
  }
}

function toRecord(spec: StreamSpec, before: Item | undefined, after: Item | undefined): StreamRecord {
  const some = after ?? before ?? {};
  const Keys = Object.fromEntries(spec.keys.map((key) => [key, some[key] as AttributeValue]));
  const news = after && (spec.view === "NEW_IMAGE" || spec.view === "NEW_AND_OLD_IMAGES") ? { NewImage: after } : {};
  const olds = before && (spec.view === "OLD_IMAGE" || spec.view === "NEW_AND_OLD_IMAGES") ? { OldImage: before } : {};
  return {
    eventID: randomUUID().replaceAll("-", ""),
    eventName: !before ? "INSERT" : after ? "MODIFY" : "REMOVE",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: REGION,
    eventSourceARN: spec.arn,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(Date.now() / 1000),
      Keys,
      ...news,
      ...olds,
      SequenceNumber: nextSequenceNumber(),
      StreamViewType: spec.view,
    },
  };
}

let lastSequence = 0n;

/** Rises with every record, also over a restart, because it begins with the clock. 21 digits like DynamoDB's. */
function nextSequenceNumber(): string {
  const now = BigInt(Date.now()) * 100_000_000n;
  lastSequence = now > lastSequence ? now : lastSequence + 1n;
  return String(lastSequence).padStart(21, "0");
}
