import { Webhook } from "standardwebhooks";
import type { News } from "../../domain/webhook/news.ts";

/** Standard Webhooks asks for less than 20 kB. */
export const LARGEST_PAYLOAD = 20_000;

/** The body of a signed message. `stream` and `version` give the order: a higher version of the same stream is newer. */
export const standardBody = (news: News): string => {
  const { type, at: timestamp, event: id, stream, version, position, site, environment, deployment, sequence } = news;
  const { status, live, flip, replaced, actor, commit, reason, step, durationMs, url } = news;
  return JSON.stringify({
    type,
    timestamp,
    data: {
      id,
      stream,
      version,
      position,
      site,
      environment,
      deployment,
      sequence,
      status,
      live,
      flip,
      replaced,
      actor,
      commit,
      reason,
      step,
      durationMs,
      url,
    },
  });
};

/**
 * The headers of Standard Webhooks 1.0.0: one signature for each secret that is good now, so that a receiver may change
 * over while both are.
 */
export const signedHeaders = (id: string, now: number, body: string, secrets: readonly string[]): Record<string, string> => {
  const at = new Date(now);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now / 1_000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(" "),
  };
};
