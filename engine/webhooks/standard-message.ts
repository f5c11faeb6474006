import { Webhook } from "standardwebhooks";
import type { News } from "../../domain/webhook/news.ts";
import { type StandardHeaders, standardMessage } from "../../domain/webhook/standard-message.ts";

/** Standard Webhooks asks for less than 20 kB. */
export const LARGEST_PAYLOAD = 20_000;

/** The body of a signed message. */
export const standardBody = (news: News): string => JSON.stringify(standardMessage(news));

/**
 * The headers of Standard Webhooks 1.0.0: one signature for each secret that is good now, so that a receiver may change
 * over while both are.
 */
export const signedHeaders = (id: string, now: number, body: string, secrets: readonly string[]): StandardHeaders => {
  const at = new Date(now);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now / 1_000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(" "),
  };
};
