import { hash } from "node:crypto";
import * as z from "zod";
import { News } from "../../domain/webhook/news.ts";

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
  /** not before, in milliseconds since 1970 */
  due: z.number(),
  /** asked for by a person: also sent to an endpoint that is disabled */
  byHand: z.boolean(),
  /** a trial: where it fails it is not sent again */
  once: z.boolean(),
  news: News,
});
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;
