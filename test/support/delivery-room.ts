import { webhook as decider } from "../../domain/webhook/decider.ts";
import type { Delivery } from "../../domain/webhook/delivery.ts";
import type { WebhookEvent, WebhookKind } from "../../domain/webhook/events.ts";
import type { News } from "../../domain/webhook/news.ts";
import { type DeliveryMessage, deliveryId } from "../../engine/webhooks/delivery.ts";
import type { Posted } from "../../engine/webhooks/post.ts";
import type { EndpointSecret } from "../../engine/webhooks/webhook-secrets.ts";
import { deliver } from "../../services/deliver/deliver.ts";
import { news } from "./news.ts";
import { nobody } from "./nobody.ts";
import { webhookId } from "./samples.ts";

/** The endpoint of the room. */
export const id = webhookId(1);
export const secretOf = (n: number) => `whsec_${Buffer.alloc(32, n).toString("base64")}`;
export const answer = (status: number, more: Partial<Posted> = {}): Posted => ({
  status,
  fault: null,
  retryAfter: null,
  answer: "",
  ...more,
});

/** One endpoint, its sender, and a clock that only moves when it is told to. */
export function room(kind: WebhookKind = "standard") {
  const state = decider.initial();
  const events: WebhookEvent[] = [];
  const happen = (event: WebhookEvent) => {
    events.push(event);
    decider.evolve(state, event);
  };
  happen({
    type: "WebhookAdded",
    v: 1,
    body: { kind, maskedUrl: "https://example.com/…", filters: { site: null, environment: null, types: [] } },
  });
  const rows = new Map<string, Delivery>();
  /** what each row's message is about */
  const about = new Map<string, News>();
  const lines = new Map<number, number>();
  const here = {
    now: Date.UTC(2026, 10, 23, 12),
    state,
    events,
    happen,
    rows,
    lines,
    health: { failingSince: 0, throttledUntil: 0 },
    secret: { url: "https://example.com/services/T0/hook", signing: [{ secret: secretOf(1), until: null, cause: "c" }] } as EndpointSecret,
    readSecret: (): EndpointSecret | undefined => here.secret,
    answer: answer(200),
    people: nobody,
    /** a line cannot be given back */
    stuckLine: false,
    /** the next write of a row does not happen */
    crash: false,
    posts: [] as { url: string; headers: Readonly<Record<string, string>>; body: string }[],
    /** what waits, by its name */
    waiting: new Map<string, { message: DeliveryMessage; due: number }>(),
    message: (change: Partial<DeliveryMessage> = {}): DeliveryMessage => ({
      delivery: deliveryId("event.0", id),
      webhook: id,
      attempt: 1,
      due: 0,
      byHand: false,
      once: false,
      news: news(),
      ...change,
    }),
    row: () => rows.get(deliveryId("event.0", id)),
    /** One delivery of a message, by default its first one. */
    run: (message: DeliveryMessage, { last = false, receives = 1 } = {}) => run(message, { last, receives }),
  };
  const run = deliver({
    people: { inJson: (json) => here.people.inJson(json) },
    aggregates: {
      webhook: {
        load: async () => ({ state, version: events.length }),
        execute: async (_id, command) => {
          const outcome = decider.decide(command, state);
          if (Array.isArray(outcome)) outcome.forEach(happen);
          return { events: [], state, version: events.length };
        },
      },
    },
    rows: {
      delivery: async (delivery) => {
        const row = rows.get(delivery);
        return row && { delivery: row, news: about.get(delivery) ?? news() };
      },
      noteDelivery: async (row, news) => {
        if (rows.has(row.id)) return false;
        rows.set(row.id, row);
        about.set(row.id, news);
        return true;
      },
      putDelivery: async (row) => {
        if (here.crash) {
          here.crash = false;
          throw new Error("the power went");
        }
        rows.set(row.id, row);
      },
      health: async () => here.health,
      setHealth: async (_id, health) => {
        here.health = health;
      },
      acquireSlot: async (_id, line, now, until) => {
        if ((lines.get(line) ?? 0) >= now) return false;
        lines.set(line, until);
        return true;
      },
      releaseSlot: async (_id, line) => {
        if (here.stuckLine) throw new Error("the table is busy");
        lines.delete(line);
      },
      noteWaiting: async ({ key, body, due }) => void here.waiting.set(key, { message: JSON.parse(body) as DeliveryMessage, due }),
    },
    secrets: { read: async () => here.readSecret() },
    post: async (url, headers, body) => {
      here.posts.push({ url, headers, body });
      return here.answer;
    },
    timeoutMs: 20_000,
    clock: { now: () => here.now, sleep: async () => undefined, random: () => 0 },
  });
  return here;
}
