import * as z from "zod";
import { GitCommit } from "../deployment/shapes.ts";
import type { WebhookFilters } from "./events.ts";

const Live = z.object({ deployment: z.string(), sequence: z.number() }).nullable();

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
  /** why a release went live: deploy, rollback, promote or restore; null for any other event */
  flip: z.string().nullable(),
  actor: z.string(),
  commit: GitCommit.nullable(),
  reason: z.string().nullable(),
  /** what the deployment was at when it failed */
  step: z.string().nullable(),
  /** since the deployment was asked for */
  durationMs: z.number().nullable(),
  url: z.string().nullable(),
  /** of the build's log, where a build failed */
  lastLines: z.array(z.string()),
  /** a command that helps next */
  next: z.string(),
});
export type News = z.infer<typeof News>;

/** Events that change the status of a deployment or of an environment: what an endpoint hears of. */
export const notableTypes = [
  "DeploymentQueued",
  "BuildStarted",
  "BuildSucceeded",
  "ReleaseStarted",
  "DeploymentHeld",
  "FlipStarted",
  "CancelRequested",
  "DeploymentSucceeded",
  "DeploymentFailed",
  "DeploymentCancelled",
  "DeploymentSuperseded",
  "ReleaseWentLive",
  "FlipFailed",
  "AliasDriftDetected",
  "AliasDriftEnded",
  "EnvironmentPinned",
  "EnvironmentUnpinned",
  "EnvironmentLocked",
  "EnvironmentUnlocked",
] as const;

/** The type of a message that only tries an endpoint out. */
export const TEST_TYPE = "WebhookTest";

/**
 * Whether an endpoint wants to hear this. Without named types it hears every change of a status once: a deployment that
 * goes live is told by `DeploymentSucceeded`, so its `ReleaseWentLive` only comes to who names it.
 */
export const wants = (filters: WebhookFilters, news: News): boolean =>
  (filters.site ?? news.site) === news.site &&
  (filters.environment ?? news.environment) === news.environment &&
  (filters.types.length === 0 ? !(news.type === "ReleaseWentLive" && news.flip === "deploy") : filters.types.includes(news.type));
