import type { WebhookKind } from "../../domain/webhook/events.ts";
import type { Posted } from "./post.ts";

/**
 * What an attempt came to. `pauseMs`: how long nothing at all is sent to the endpoint; `disable`: it said that it is gone;
 * `endpoint`: every other message would fail as well.
 */
export type Verdict =
  | { readonly is: "delivered" }
  | { readonly is: "retry"; readonly reason: string; readonly waitMs: number; readonly pauseMs: number }
  | { readonly is: "giveUp"; readonly reason: string; readonly disable: boolean; readonly endpoint: boolean };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits before the second and every further attempt, as Standard Webhooks proposes: a little more than three days in all. */
const WAITS_MS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
export const MAX_ATTEMPTS = WAITS_MS.length + 1;
/** An endpoint at which nothing arrived for so long is disabled … */
export const DISABLE_AFTER_MS = 5 * 24 * HOUR;
/** … by a message that failed for hours itself. */
export const LATE_ATTEMPT = 5;
/** A throttled endpoint that does not say for how long. */
const USUAL_PAUSE_MS = 30 * SECOND;
const MAX_PAUSE_MS = 24 * HOUR;

/** The wait after an attempt that failed; up to a fifth longer by chance, so that what failed together does not come back together. */
export const waitAfter = (attempt: number, random: number): number =>
  Math.round((WAITS_MS[Math.min(attempt, WAITS_MS.length) - 1] ?? 0) * (1 + random / 5));

/** Slack's answers that no retry changes: the message or the URL is wrong. */
const SLACK_FINAL = [400, 403, 404];
const THROTTLING = [429, 502, 504];

/**
 * @param attempt which one it was: 1, 2, 3 …
 * @param now milliseconds since 1970, for a Retry-After that names a time
 * @param random in [0, 1)
 */
export const verdictOn = (kind: WebhookKind, attempt: number, posted: Posted, now: number, random: number): Verdict => {
  const { status, fault } = posted;
  if (fault === null && status !== null && status >= 200 && status < 300) return { is: "delivered" };
  const reason = fault ?? reasonOf(status ?? 0, kind === "slack" ? posted.answer : null);
  if (status === 410) return { is: "giveUp", reason, disable: true, endpoint: true };
  if (kind === "slack" && SLACK_FINAL.includes(status ?? 0)) return { is: "giveUp", reason, disable: false, endpoint: status !== 400 };

  const asked = retryAfter(posted.retryAfter, now);
  const pauseMs = THROTTLING.includes(status ?? 0) ? (asked ?? USUAL_PAUSE_MS) : 0;
  return { is: "retry", reason, waitMs: Math.max(waitAfter(attempt, random), asked ?? 0), pauseMs };
};

const reasonOf = (status: number, answer: string | null): string => {
  if (status >= 300 && status < 400) return `it answered ${status}: redirects are not followed, so give the URL that it leads to`;
  // Slack's words are short codes such as `no_service`
  const word = answer !== null && /^[a-z_]{1,40}$/.test(answer.trim()) ? ` ${answer.trim()}` : "";
  return `it answered ${status}${word}`;
};

/** Seconds or an HTTP date, as milliseconds from now; a day at most. */
const retryAfter = (header: string | null, now: number): number | undefined => {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * SECOND : Date.parse(header) - now;
  return Number.isNaN(ms) || ms <= 0 ? undefined : Math.min(ms, MAX_PAUSE_MS);
};
