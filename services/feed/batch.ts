import { hash } from "node:crypto";
import type { Recorded } from "../../domain/kernel/event.ts";
import { EVENTS_TYPE, type SubscriptionMessage } from "../../domain/webhook/subscription-message.ts";
import type { Fed } from "../../engine/log/event-feed.ts";
import { LARGEST_PAYLOAD } from "../../engine/webhooks/standard-message.ts";

/** Events that one request tells at most. */
export const MAX_EVENTS = 100;
/** What is around the events of a body; more than it ever is. */
const ENVELOPE_BYTES = 200;

/** Events that are told together, and the place of who has taken them. Never empty. */
export type Batch = { readonly events: readonly Recorded[]; readonly at: string };

/**
 * Events in their order, as many together as a receiver must take. One that is larger by itself goes alone.
 *
 * @param first events of the first batch at most
 */
export function* batchesOf(fed: readonly Fed[], first = MAX_EVENTS): Generator<Batch> {
  let batch: Fed[] = [];
  let bytes = ENVELOPE_BYTES;
  let most = Math.min(first, MAX_EVENTS);
  for (const one of fed) {
    const more = Buffer.byteLength(JSON.stringify(one.event)) + 1;
    if (batch.length > 0 && (batch.length >= most || bytes + more >= LARGEST_PAYLOAD)) {
      yield batchOf(batch);
      batch = [];
      bytes = ENVELOPE_BYTES;
      most = MAX_EVENTS;
    }
    batch.push(one);
    bytes += more;
  }
  if (batch.length > 0) yield batchOf(batch);
}

const batchOf = (fed: readonly Fed[]): Batch => ({ events: fed.map(({ event }) => event), at: fed.at(-1)?.id ?? "" });

/**
 * The same whenever the same is sent, so that a receiver can tell a repetition. After a reset it is another one: who asks
 * for the past once more wants to be told it.
 */
export const batchId = (webhook: string, resets: number, { events }: Batch): string =>
  `msg_${hash("sha256", `${webhook}\n${resets}\n${events[0]?.id}\n${events.at(-1)?.id}`, "base64url")
    .slice(0, 24)
    .replace(/[-_]/g, "0")}`;

/** The body of a request. The same batch is the same bytes. */
export const batchBody = (subscription: string, { events }: Batch): string =>
  JSON.stringify({
    type: EVENTS_TYPE,
    timestamp: events.at(-1)?.at ?? "",
    data: { subscription, events: [...events] },
  } satisfies SubscriptionMessage);
