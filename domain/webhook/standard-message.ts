import * as z from "zod";
import { News } from "./news.ts";

/** What a signed message tells: the news, without what only a person at a terminal has use for. */
const Told = z.object({ id: News.shape.event, ...News.omit({ event: true, type: true, at: true, lastLines: true, next: true }).shape });

/** The body of a signed message. `stream` and `version` give the order: a higher version of the same stream is newer. */
export const StandardMessage = z.object({ type: z.string(), timestamp: z.string(), data: Told });
export type StandardMessage = z.infer<typeof StandardMessage>;

/** Headers of Standard Webhooks 1.0.0. */
export const StandardHeaders = z.object({
  "webhook-id": z.string().describe("Id of the delivery, the same in every attempt: what was seen before is a repetition"),
  "webhook-timestamp": z
    .string()
    .regex(/^\d+$/)
    .describe("When it was sent, in seconds since 1970: refuse what is older than some minutes"),
  "webhook-signature": z
    .string()
    .regex(/^v1,\S+( v1,\S+)*$/)
    .describe("HMAC-SHA256 over id.timestamp.body, base64; one for each secret that is good now, with a space between"),
});
export type StandardHeaders = z.infer<typeof StandardHeaders>;

export const standardMessage = (news: News): StandardMessage => {
  const { type, at: timestamp, event: id, stream, version, position, site, environment, deployment, sequence } = news;
  const { status, live, flip, replaced, actor, commit, reason, step, durationMs, url } = news;
  return {
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
  };
};
