import { type Attempt, type Delivery, newDelivery } from "../../domain/webhook/delivery.ts";
import type { WebhookKind } from "../../domain/webhook/events.ts";
import type { News } from "../../domain/webhook/news.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { NotYet, reasonOf, type Delivery as Times, Unprocessable } from "../../engine/kit/consumer.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import type { Views } from "../../engine/views/views.ts";
import type { DeliveryMessage } from "../../engine/webhooks/delivery.ts";
import type { Health } from "../../engine/webhooks/delivery-rows.ts";
import type { EndpointSecret, WebhookSecrets } from "../../engine/webhooks/webhook-secrets.ts";
import type { Post, Posted } from "./post.ts";
import { scrubbed } from "./scrub.ts";
import { slackMessage } from "./slack-message.ts";
import { LARGEST_PAYLOAD, signedHeaders, standardBody } from "./standard-message.ts";
import { DISABLE_AFTER_MS, LATE_ATTEMPT, MAX_ATTEMPTS, type Verdict, verdictOn } from "./verdict.ts";

export type Ports = {
  readonly aggregates: Pick<Aggregates, "webhook">;
  readonly rows: Pick<Views, "delivery" | "noteDelivery" | "putDelivery" | "health" | "setHealth" | "acquireSlot" | "releaseSlot">;
  readonly secrets: Pick<WebhookSecrets, "read">;
  readonly post: Post;
  /** the longest that `post` takes */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** puts a message into this consumer's own queue */
  send(body: string, delaySeconds: number): Promise<void>;
};

const ACTOR = "shiplog deliver";
/** Requests to one endpoint at once: a slow one holds so many of the sender's hands and no more, a failing one holds one. */
const LINES = 2;
const MAX_DELAY_S = 900;
/** Twice the longest wait there is: what is to be waited for longer was dated by a clock that was ahead. */
const MAX_WAIT_MS = 48 * 3_600_000;
const KEPT_TRIES = 12;

/**
 * Sends one message to one endpoint, once. What fails is put into the queue again with the time of its next attempt, so
 * that nothing waits for it; what is given up becomes a dead letter with its reason, and the log of deliveries says so.
 *
 * @param times `last`: where this fails too, the queue does not bring the message again
 */
export const deliver =
  (ports: Ports) =>
  async (message: DeliveryMessage, times: Pick<Times, "last">): Promise<void> => {
    try {
      await attemptOnce(ports, message);
    } catch (error) {
      const over = error instanceof Unprocessable || (times.last && !(error instanceof NotYet));
      if (over) await giveUp(ports, message, error instanceof Unprocessable ? error.message : reasonOf(error));
      throw error;
    }
  };

/** The row of a message that fails before it has an answer; a redriven letter is sent all the same, since no attempt is counted. */
const giveUp = async ({ rows, clock }: Ports, { delivery, webhook, attempt, news }: DeliveryMessage, reason: string): Promise<void> => {
  const at = timeOf(clock.now());
  const row = (await rows.delivery(delivery))?.delivery ?? newDelivery(delivery, webhook, news, at);
  if (row.status === "delivered" || row.attempts >= attempt) return;
  await rows.putDelivery({ ...row, status: "dead", reason, nextAt: null, updatedAt: at }, news);
};

/** One attempt: the message, its row as it was found, and how its endpoint is doing. */
type Sending = {
  readonly message: DeliveryMessage;
  readonly row: Delivery;
  readonly news: News;
  readonly health: Health;
};

const attemptOnce = async (ports: Ports, message: DeliveryMessage): Promise<void> => {
  const { aggregates, rows, clock } = ports;
  const { webhook: id, attempt } = message;
  waitUntil(clock, message.due, "its next attempt is not due");

  const { delivery: row, news } = await rowOf(ports, message);
  // its sender died after the row had said so, and before it was a dead letter
  if (row.status === "dead" && row.attempts === attempt && !message.once) throw new Unprocessable(givenUp(message, row.reason));
  // a message that came twice, or a planned attempt that was made by hand meanwhile
  if (row.attempts >= attempt) return;

  const { state } = await aggregates.webhook.load(id);
  if (state.removed || state.kind === null) return drop(ports, message, row, "the endpoint was removed");
  if (state.disabled !== null && !message.byHand) return drop(ports, message, row, "the endpoint is disabled");

  const health = await rows.health(id);
  waitUntil(clock, health.throttledUntil, "the endpoint asked for a pause");
  const { kind } = state;
  const posted = await withSlot(ports, id, health.failingSince > 0 ? 1 : LINES, () => attemptTo(ports, kind, { ...message, news }));
  if (posted === undefined) return drop(ports, message, row, "the endpoint was removed");
  const verdict = verdictOn(kind, attempt, posted, clock.now(), clock.random());
  return settle(ports, { message, row, news, health }, verdict, posted);
};

const waitUntil = (clock: Pick<Clock, "now">, time: number, why: string): void => {
  const ms = time - clock.now();
  if (ms > 0 && ms < MAX_WAIT_MS) throw new NotYet(why, Math.min(Math.ceil(ms / 1_000), MAX_DELAY_S));
};

/** Who made the attempt before may not have written its row yet: it is behind this one then, and changes nothing. */
const drop = async ({ rows, clock }: Ports, { attempt, news }: DeliveryMessage, row: Delivery, reason: string): Promise<void> => {
  const attempts = Math.max(row.attempts, attempt - 1);
  await rows.putDelivery({ ...row, attempts, status: "dropped", reason, nextAt: null, updatedAt: timeOf(clock.now()) }, news);
};

/** Holds one of the endpoint's lines meanwhile; where all are taken the message comes again soon. */
const withSlot = async <T>({ rows, clock, timeoutMs }: Ports, id: string, lines: number, act: () => Promise<T>): Promise<T> => {
  const now = clock.now();
  const until = now + timeoutMs + 10_000;
  for (let line = 0; line < lines; line++) {
    if (!(await rows.acquireSlot(id, line, now, until))) continue;
    try {
      return await act();
    } finally {
      // what came of the request counts; a line that could not be given back ends by itself
      await rows.releaseSlot(id, line, until).catch(() => undefined);
    }
  }
  throw new NotYet("the endpoint is busy with others", 1 + Math.floor(clock.random() * 3));
};

/** `undefined` where the endpoint was removed since it was looked at: its secret goes with it. */
const attemptTo = async (
  { aggregates, secrets, post, clock }: Ports,
  kind: WebhookKind,
  message: DeliveryMessage,
): Promise<Timed | undefined> => {
  const { webhook: id } = message;
  const secret = await secrets.read(id);
  if (secret === undefined && (await aggregates.webhook.load(id)).state.removed) return undefined;
  if (secret === undefined) throw new Unprocessable(`the secret of ${id} is gone: remove the endpoint and add it again`);
  const started = clock.now();
  const { headers, body } = render(kind, message, secret, started);
  const posted = await post(secret.url, headers, body);
  return { ...posted, answer: scrubbed(posted.answer, secret), at: started, ms: clock.now() - started };
};

const settle = async (ports: Ports, { message, row, news, health }: Sending, verdict: Verdict, posted: Timed): Promise<void> => {
  const { rows, clock } = ports;
  const { webhook: id, attempt } = message;
  const { at, ms, status, answer } = posted;
  const reason = verdict.is === "delivered" ? null : verdict.reason;
  const tried: Attempt = { attempt, at: timeOf(at), status, ms, reason, answer };
  const after: Delivery = {
    ...row,
    attempts: attempt,
    reason,
    nextAt: null,
    updatedAt: timeOf(clock.now()),
    tries: [tried, ...row.tries].slice(0, KEPT_TRIES),
  };
  if (verdict.is === "delivered") {
    await rows.putDelivery({ ...after, status: "delivered" }, news);
    if (health.failingSince > 0 || health.throttledUntil > 0) await rows.setHealth(id, { failingSince: 0, throttledUntil: 0 });
    return;
  }
  // a trial that fails says so and no more
  if (message.once) return rows.putDelivery({ ...after, status: "dead" }, news);

  const isDisabled = await noteFailure(ports, message, health, verdict, at);
  if (verdict.is === "retry" && !isDisabled && attempt < MAX_ATTEMPTS) {
    const due = clock.now() + verdict.waitMs;
    // first the queue, then the row: a crash in between sends once more, and never once less
    await ports.send(
      JSON.stringify({ ...message, attempt: attempt + 1, due, byHand: false }),
      Math.min(Math.ceil(verdict.waitMs / 1_000), MAX_DELAY_S),
    );
    return rows.putDelivery({ ...after, status: "pending", nextAt: timeOf(due) }, news);
  }
  await rows.putDelivery({ ...after, status: "dead" }, news);
  throw new Unprocessable(givenUp(message, verdict.reason));
};

/** What a failure says of the endpoint. @returns whether it is disabled for it */
const noteFailure = async (
  { aggregates, rows, clock }: Ports,
  { webhook: id, delivery, attempt }: DeliveryMessage,
  health: Health,
  verdict: Exclude<Verdict, { is: "delivered" }>,
  at: number,
): Promise<boolean> => {
  const disable = async (reason: string): Promise<void> => {
    const because = { cause: `${delivery}/${attempt}/disable`, correlation: delivery, actor: ACTOR };
    await aggregates.webhook.execute(id, { type: "DisableWebhook", reason }, because);
  };
  const now = clock.now();
  const ofEndpoint = verdict.is === "retry" || verdict.endpoint;
  const failingSince = health.failingSince || (ofEndpoint ? at : 0);
  const pause = verdict.is === "retry" ? verdict.pauseMs : 0;
  await rows.setHealth(id, { failingSince, throttledUntil: pause > 0 ? now + pause : health.throttledUntil });
  if (verdict.is === "giveUp" && verdict.disable) await disable(verdict.reason);
  // one failure after days without a message says little: the endpoint must have failed this one for hours too
  const late = verdict.is === "giveUp" || attempt >= LATE_ATTEMPT;
  const dead = ofEndpoint && late && now - failingSince >= DISABLE_AFTER_MS;
  if (dead) await disable(`nothing arrived since ${timeOf(failingSince)}; the last time ${verdict.reason}`);
  return dead;
};

/**
 * A message's row, made where there is none yet: a command that was repeated before its first run had noted anything left
 * two messages of one id, and what a receiver gets under that id is always the same.
 */
const rowOf = async ({ rows, clock }: Ports, { delivery, webhook, news }: DeliveryMessage): Promise<{ delivery: Delivery; news: News }> => {
  const known = await rows.delivery(delivery);
  if (known !== undefined) return known;
  const made = { delivery: newDelivery(delivery, webhook, news, timeOf(clock.now())), news };
  return (await rows.noteDelivery(made.delivery, news)) ? made : ((await rows.delivery(delivery)) ?? made);
};

const givenUp = ({ webhook, attempt, news }: DeliveryMessage, reason: string | null): string =>
  `${news.type} was not delivered to ${webhook} in ${attempt} attempts: ${reason}`;

type Timed = Posted & { readonly at: number; readonly ms: number };

const render = (kind: WebhookKind, { delivery, news }: DeliveryMessage, { signing }: EndpointSecret, now: number) => {
  if (kind === "slack") return { headers: {}, body: JSON.stringify(slackMessage(news)) };
  const body = standardBody(news);
  if (Buffer.byteLength(body) >= LARGEST_PAYLOAD)
    throw new Unprocessable(`the message is ${Buffer.byteLength(body)} bytes, above what a receiver must take`);
  const good = signing.filter(({ until }) => until === null || until > now).map(({ secret }) => secret);
  return { headers: signedHeaders(delivery, now, body, good), body };
};

const timeOf = (ms: number): string => new Date(ms).toISOString();
