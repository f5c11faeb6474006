import * as z from "zod";
import type { News } from "./news.ts";

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
