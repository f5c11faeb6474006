import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { MAX_CLOCK_SKEW_MS } from "../../domain/kernel/position.ts";
import type { Delivery } from "../../domain/webhook/delivery.ts";
import type { News } from "../../domain/webhook/news.ts";
import { conditionalWrite } from "../aws/conditional-write.ts";

const none = { casing: "none" } as const;
const DAY_SECONDS = 86_400;
/** A row goes by itself, where the table's time to live is on: it is not history. */
const KEPT_SECONDS = 30 * DAY_SECONDS;

/** How an endpoint is doing; times in milliseconds since 1970, 0 where it is not so. */
export type Health = { readonly failingSince: number; readonly throttledUntil: number };

/** The entities of the table. Stored for ever. */
const entitiesOf = (client: DynamoDBDocumentClient, table: string) => {
  const deliveries = new Entity(
    {
      model: { service: "shiplog", entity: "delivery", version: "1" },
      attributes: {
        id: { type: "string", required: true },
        webhook: { type: "string", required: true },
        order: { type: "string", required: true },
        status: { type: "string", required: true },
        attempts: { type: "number", required: true },
        delivery: { type: "string", required: true },
        news: { type: "string", required: true },
        expiresAt: { type: "number", required: true },
      },
      indexes: {
        row: { pk: { field: "pk", composite: ["id"], ...none }, sk: { field: "sk", composite: [], ...none } },
        byWebhook: {
          index: "gsi1",
          pk: { field: "gsi1pk", composite: ["webhook"], ...none },
          sk: { field: "gsi1sk", composite: ["order"], ...none },
        },
      },
    },
    { client, table },
  );
  const health = new Entity(
    {
      model: { service: "shiplog", entity: "endpoint", version: "1" },
      attributes: {
        webhook: { type: "string", required: true },
        failingSince: { type: "number", required: true },
        throttledUntil: { type: "number", required: true },
      },
      indexes: { row: { pk: { field: "pk", composite: ["webhook"], ...none }, sk: { field: "sk", composite: [], ...none } } },
    },
    { client, table },
  );
  const lines = new Entity(
    {
      model: { service: "shiplog", entity: "line", version: "1" },
      attributes: {
        webhook: { type: "string", required: true },
        line: { type: "number", required: true },
        until: { type: "number", required: true },
      },
      indexes: { row: { pk: { field: "pk", composite: ["webhook"], ...none }, sk: { field: "sk", composite: ["line"], ...none } } },
    },
    { client, table },
  );
  return { deliveries, health, lines };
};

/** The log of deliveries and what the sender remembers of each endpoint, in the table of views. Not made from the log of events. */
export const deliveryRows = (client: DynamoDBDocumentClient, table: string) => {
  const { deliveries, health, lines } = entitiesOf(client, table);
  const put = (delivery: Delivery, news: News) =>
    deliveries.put({
      id: delivery.id,
      webhook: delivery.webhook,
      order: `${delivery.createdAt}#${delivery.id}`,
      status: delivery.status,
      attempts: delivery.attempts,
      delivery: JSON.stringify(delivery),
      news: JSON.stringify(news),
      expiresAt: Math.floor(Date.parse(delivery.createdAt) / 1_000) + KEPT_SECONDS,
    });

  return {
    delivery: async (id: string): Promise<{ delivery: Delivery; news: News } | undefined> => {
      const { data } = await deliveries.get({ id }).go({ consistent: true });
      return data ? { delivery: JSON.parse(data.delivery) as Delivery, news: JSON.parse(data.news) as News } : undefined;
    },
    /** Newest first. */
    deliveries: async (webhook: string, limit: number): Promise<Delivery[]> => {
      const { data } = await deliveries.query.byWebhook({ webhook }).go({ order: "desc", limit });
      return data.map(({ delivery }) => JSON.parse(delivery) as Delivery);
    },
    /**
     * Writes a row, unless another sender of the same message came further, or delivered it: one may have stood still in
     * between. What is over is not pending again by the same attempt: its next one may have been dropped by then.
     */
    putDelivery: async (delivery: Delivery, news: News): Promise<void> => {
      const isPending = delivery.status === "pending";
      await conditionalWrite(
        put(delivery, news)
          .where(
            ({ status, attempts }, { notExists, lt, eq, ne }) =>
              `${notExists(attempts)} OR ${lt(attempts, delivery.attempts)} OR (${eq(attempts, delivery.attempts)} AND ${isPending ? eq(status, "pending") : ne(status, "delivered")})`,
          )
          .go(),
      );
    },
    /** Writes a row unless it is there; its first attempt may have come before it. */
    noteDelivery: (delivery: Delivery, news: News): Promise<boolean> =>
      conditionalWrite(
        put(delivery, news)
          .where(({ id }, { notExists }) => notExists(id))
          .go(),
      ),

    health: async (webhook: string): Promise<Health> => {
      const { data } = await health.get({ webhook }).go({ consistent: true });
      return data ?? { failingSince: 0, throttledUntil: 0 };
    },
    setHealth: async (webhook: string, { failingSince, throttledUntil }: Health): Promise<void> => {
      await health.put({ webhook, failingSince, throttledUntil }).go();
    },

    /** Takes one of an endpoint's lines, for nobody else until then or until it is given back; `false` where somebody has it. */
    acquireSlot: (webhook: string, line: number, now: number, until: number): Promise<boolean> =>
      conditionalWrite(
        lines
          .put({ webhook, line, until })
          // nobody takes it for so long: a clock was ahead
          .where(
            (taken, { notExists, lt, gt }) =>
              `${notExists(taken.until)} OR ${lt(taken.until, now)} OR ${gt(taken.until, until + MAX_CLOCK_SKEW_MS)}`,
          )
          .go(),
      ),
    /** Gives back what was taken until then; nothing where it ran out and somebody else has it. */
    releaseSlot: async (webhook: string, line: number, until: number): Promise<void> => {
      await conditionalWrite(
        lines
          .delete({ webhook, line })
          .where((taken, { eq }) => eq(taken.until, until))
          .go(),
      );
    },
  };
};
