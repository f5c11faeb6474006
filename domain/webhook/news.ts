import * as z from "zod";
import { GitCommit } from "../deployment/shapes.ts";
import type { WebhookFilters } from "./events.ts";

const Live = z.object({ deployment: z.string(), sequence: z.number() }).nullable();

const Replaced = z.object({ deployment: z.string(), sequence: z.number(), commit: GitCommit.nullable() });

/**
 * One event as it is told to people and programs outside: with what they need to understand it, as of that event.
 * It holds no secret. Both messages, Slack's and the signed one, are made of it alone.
 */
export const News = z.object({
  /** id, type, stream and version of the event: the version orders the news of one stream */
  event: z.string(),
  type: z.string(),
  at: z.string(),
  stream: z.string(),
  version: z.number(),
  position: z.string(),
  site: z.string(),
  environment: z.string(),
  deployment: z.string().nullable(),
  sequence: z.number().nullable(),
  /** of the deployment, where the event changed it */
  status: z.object({ before: z.string().nullable(), after: z.string() }).nullable(),
  /** what answers visitors; the same twice where the event did not change it */
  live: z.object({ before: Live, after: Live }),
  /** why a release went live, or failed to: deploy, rollback, promote or restore; of a pin: the rollback that set it or took it back */
  flip: z.string().nullable(),
  /** what a release that went live replaced */
  replaced: Replaced.nullable().default(null),
  actor: z.string(),
  commit: GitCommit.nullable(),
  reason: z.string().nullable(),
  /** what the deployment was at when it failed */
  step: z.string().nullable(),
  /** since the deployment was asked for */
  durationMs: z.number().nullable(),
  url: z.string().nullable(),
  /** of the build's log, where a build failed: its error with what is around it */
  lastLines: z.array(z.string()),
  /** a command that helps next */
  next: z.string(),
});
export type News = z.infer<typeof News>;

/** The type of a message that only tries an endpoint out. */
export const TEST_TYPE = "WebhookTest";

/**
 * Whether an endpoint wants to hear this. Without named types it hears every change of a status once: a deployment that
 * goes live is told by `DeploymentSucceeded`, so its `ReleaseWentLive` only comes to who names it; and the pin of a rollback is
 * told with the rollback, except to who hears of pins alone.
 */
export const wants = ({ site, environment, types }: WebhookFilters, news: News): boolean => {
  if ((site ?? news.site) !== news.site || (environment ?? news.environment) !== news.environment) return false;
  const everything = types.length === 0;
  if (isOfRollback(news) && (everything || types.includes("ReleaseWentLive"))) return false;
  return everything ? !(news.type === "ReleaseWentLive" && news.flip === "deploy") : types.includes(news.type);
};

const isOfRollback = ({ type, flip }: News): boolean =>
  (type === "EnvironmentPinned" || type === "EnvironmentUnpinned") && flip === "rollback";
