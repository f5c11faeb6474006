import { hash } from "node:crypto";
import * as z from "zod";
import { News } from "../../../domain/webhook/news.ts";

/**
 * One delivery: one event for one endpoint. The same for every attempt, also those asked for by hand, so that a
 * receiver can tell a repetition from something new.
 */
export const deliveryId = (eventId: string, webhookId: string): string =>
  `msg_${hash("sha256", `${eventId}\n${webhookId}`, "base64url").slice(0, 24).replace(/[-_]/g, "0")}`;

/** What travels through the queue of `deliver`: no URL and no secret. */
export const DeliveryMessage = z.object({
  delivery: z.string(),
  webhook: z.string(),
  /** 1, 2, 3 … */
  attempt: z.number().int().positive(),
  /** not before, in milliseconds since 1970; a queue delays a message by fifteen minutes at most */
  due: z.number(),
  /** asked for by a person: also sent to an endpoint that is disabled */
  byHand: z.boolean(),
  /** a trial: where it fails it is not sent again */
  once: z.boolean(),
  news: News,
});
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;

/** One attempt as the delivery log keeps it. */
export const Attempt = z.object({
  attempt: z.number(),
  at: z.string(),
  /** HTTP status, where there was an answer */
  status: z.number().nullable(),
  ms: z.number(),
  /** why it does not count as delivered */
  reason: z.string().nullable(),
  /** the first kilobyte of the answer */
  answer: z.string().nullable(),
});
export type Attempt = z.infer<typeof Attempt>;

/** A row of the delivery log. `dead`: given up, see the dead letters; `dropped`: the endpoint was disabled or removed before. */
export const Delivery = z.object({
  id: z.string(),
  webhook: z.string(),
  event: z.string(),
  type: z.string(),
  site: z.string(),
  environment: z.string(),
  deployment: z.string().nullable(),
  status: z.enum(["pending", "delivered", "dead", "dropped"]),
  attempts: z.number(),
  nextAt: z.string().nullable(),
  reason: z.string().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
  /** the newest ones, at most a dozen */
  tries: z.array(Attempt),
});
export type Delivery = z.infer<typeof Delivery>;

/** A delivery that nobody tried yet. */
export const newDelivery = (id: string, webhook: string, news: News, at: string): Delivery => ({
  id,
  webhook,
  event: news.event,
  type: news.type,
  site: news.site,
  environment: news.environment,
  deployment: news.deployment,
  status: "pending",
  attempts: 0,
  nextAt: at,
  reason: null,
  createdAt: at,
  updatedAt: at,
  tries: [],
});
