import { PSEUDONYMS } from "../../domain/kernel/identity.ts";
import { type Attempt, type Delivery, newDelivery } from "../../domain/webhook/delivery.ts";
import type { WebhookKind } from "../../domain/webhook/events.ts";
import type { News } from "../../domain/webhook/news.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { NotYet, reasonOf, type Delivery as Times, Unprocessable } from "../../engine/kit/consumer.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import type { People } from "../../engine/people/people.ts";
import type { Views } from "../../engine/views/views.ts";
import { MAX_WAIT_MS, waitingToken } from "../../engine/views/waiting-rows.ts";
import type { DeliveryMessage } from "../../engine/webhooks/delivery.ts";
import type { Health } from "../../engine/webhooks/delivery-rows.ts";
import type { Post, Posted } from "../../engine/webhooks/post.ts";
import { LARGEST_PAYLOAD, signedHeaders, standardBody } from "../../engine/webhooks/standard-message.ts";
import { DISABLE_AFTER_MS, LATE_ATTEMPT, MAX_ATTEMPTS, type Verdict, verdictOn } from "../../engine/webhooks/verdict.ts";
import type { EndpointSecret, WebhookSecrets } from "../../engine/webhooks/webhook-secrets.ts";
import { scrubbed } from "./scrub.ts";
import { slackMessage } from "./slack-message.ts";

export type Ports = {
  readonly aggregates: Pick<Aggregates, "webhook">;
  readonly rows: Pick<
    Views,
    "delivery" | "noteDelivery" | "putDelivery" | "health" | "setHealth" | "acquireSlot" | "releaseSlot" | "noteWaiting"
  >;
  readonly people: Pick<People, "inJson">;
  readonly secrets: Pick<WebhookSecrets, "read">;
  readonly post: Post;
  /** the longest that `post` takes */
  readonly timeoutMs: number;
  readonly clock: Clock;
};
/** Which delivery of the message this is, by its queue. */
type Turn = Pick<Times, "last" | "receives">;

const ACTOR = "shiplog deliver";
/** Requests to one endpoint at once: a slow one holds so many of the sender's hands and no more, a failing one holds one. */
const LINES = 2;
/** The message itself waits so long, hidden in its queue; for anything longer it is a row that waits. */
const SHORT_WAIT_MS = 60_000;
/** Seconds that it is hidden where the endpoint is busy, by how often it came: each time is one of its tries, and they fill a minute. */
const BUSY_SECONDS = [2, 5, 15, 30];
const KEPT_TRIES = 12;

/**
 * Sends one message to one endpoint, once. What fails waits for the time of its next attempt, so that nothing else waits for
 * it; what is given up becomes a dead letter with its reason, and the log of deliveries says so.
 */
export const deliver =
  (ports: Ports) =>
  async (message: DeliveryMessage, turn: Turn): Promise<void> => {
    try {
      await attemptOnce(ports, message, turn);
    } catch (error) {
      const over = error instanceof Unprocessable || (turn.last && !(error instanceof NotYet));
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

const attemptOnce = async (ports: Ports, came: DeliveryMessage, turn: Turn): Promise<void> => {
  const { aggregates, rows, clock } = ports;
  if (isEarly(clock, came.due)) return comeAgain(ports, came, turn, came.due, "its next attempt is not due");

  const known = await rowOf(ports, came);
  const { delivery: row, news } = known;
  // its sender died after the row had said so, and before it was a dead letter
  if (row.status === "dead" && row.attempts === came.attempt && !came.once) throw new Unprocessable(givenUp(came, row.reason));
  const message = asAskedFor(came, row);
  const { webhook: id, attempt } = message;
  // a message that came twice, or a planned attempt that was made by hand meanwhile
  if (row.attempts >= attempt) return;

  const { state } = await aggregates.webhook.load(id);
  if (state.removed || state.kind === null) return drop(ports, message, row, "the endpoint was removed");
  if (state.disabled !== null && !message.byHand) return drop(ports, message, row, "the endpoint is disabled");

  const health = await rows.health(id);
  if (isEarly(clock, health.throttledUntil))
    return comeAgain(ports, message, turn, health.throttledUntil, "the endpoint asked for a pause", known);
  const { kind } = state;
  const posted = await withSlot(ports, id, health.failingSince > 0 ? 1 : LINES, () => attemptTo(ports, kind, { ...message, news }));
  if (posted === "busy") return comeAgain(ports, message, turn, clock.now() + busyMs(turn, clock.random()), BUSY, known);
  if (posted === "removed") return drop(ports, message, row, "the endpoint was removed");
  const verdict = verdictOn(kind, attempt, posted, clock.now(), clock.random());
  return settle(ports, { message, row, news, health }, verdict, posted);
};

/** What a person asked for is one more attempt, also where a planned one took its number while it waited. */
const asAskedFor = (message: DeliveryMessage, { attempts, status }: Delivery): DeliveryMessage =>
  message.byHand && status !== "delivered" && attempts >= message.attempt ? { ...message, attempt: attempts + 1 } : message;

const isEarly = (clock: Pick<Clock, "now">, time: number): boolean => time > clock.now() && time - clock.now() < MAX_WAIT_MS;

const BUSY = "the endpoint is busy with others";
const busyMs = ({ receives }: Turn, random: number): number => (BUSY_SECONDS[receives - 1] ?? 5) * 1_000 * (0.5 + random);

type Known = { readonly delivery: Delivery; readonly news: News };

/**
 * Comes again at a time. It never sends itself to its own queue: Lambda would take that for a loop, and stop it.
 *
 * @param known its row, where it is known: whoever reads it sees until when it waits
 * @throws NotYet where it only hides for a moment
 */
const comeAgain = async (
  ports: Ports,
  message: DeliveryMessage,
  { receives }: Turn,
  due: number,
  why: string,
  known?: Known,
): Promise<void> => {
  const { rows, clock } = ports;
  const ms = due - clock.now();
  if (ms <= SHORT_WAIT_MS && receives <= BUSY_SECONDS.length) throw new NotYet(why, Math.max(1, Math.ceil(ms / 1_000)));
  await wait(ports, { ...message, due });
  if (known?.delivery.status === "pending") await rows.putDelivery({ ...known.delivery, nextAt: timeOf(due) }, known.news);
};

/** By the attempt: what a person asks for waits beside what is planned. */
const wait = ({ rows, clock }: Ports, message: DeliveryMessage): Promise<void> => {
  const { delivery, attempt, byHand, due } = message;
  const key = `${delivery}/${attempt}${byHand ? "/by-hand" : ""}`;
  const token = waitingToken(clock.now(), clock.random());
  return rows.noteWaiting({ consumer: "deliver", key, body: JSON.stringify(message), due, token });
};

/** Who made the attempt before may not have written its row yet: it is behind this one then, and changes nothing. */
const drop = async ({ rows, clock }: Ports, { attempt, news }: DeliveryMessage, row: Delivery, reason: string): Promise<void> => {
  const attempts = Math.max(row.attempts, attempt - 1);
  await rows.putDelivery({ ...row, attempts, status: "dropped", reason, nextAt: null, updatedAt: timeOf(clock.now()) }, news);
};

/** Holds one of the endpoint's lines meanwhile; `busy` where all are taken. */
const withSlot = async <T>({ rows, clock, timeoutMs }: Ports, id: string, lines: number, act: () => Promise<T>): Promise<T | "busy"> => {
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
  return "busy";
};

/** `removed` where the endpoint was since it was looked at: its secret goes with it. */
const attemptTo = async (
  { aggregates, people, secrets, post, clock }: Ports,
  kind: WebhookKind,
  message: DeliveryMessage,
): Promise<Timed | "removed"> => {
  const { webhook: id } = message;
  const secret = await secrets.read(id);
  if (secret === undefined && (await aggregates.webhook.load(id)).state.removed) return "removed";
  if (secret === undefined) throw new Unprocessable(`the secret of ${id} is gone: remove the endpoint and add it again`);
  const started = clock.now();
  // who hears of it reads names; the message's row has pseudonyms
  const news = JSON.parse(await people.inJson(JSON.stringify(message.news))) as News;
  const { headers, body } = render(kind, { ...message, news }, secret, started);
  const posted = await post(secret.url, headers, body);
  // a receiver may send back what it was sent
  const answer = hidden(scrubbed(posted.answer, secret), await namesIn(people, message.news));
  return { ...posted, answer, at: started, ms: clock.now() - started };
};

/** The names that a message was sent with, by their pseudonyms. */
const namesIn = async (people: Ports["people"], news: News): Promise<readonly (readonly [id: string, name: string])[]> => {
  const ids = [...new Set(JSON.stringify(news).match(PSEUDONYMS) ?? [])];
  const names = JSON.parse(await people.inJson(JSON.stringify(ids))) as string[];
  return ids.map((id, n) => [id, names[n] ?? id] as const);
};
const hidden = (answer: string | null, names: Awaited<ReturnType<typeof namesIn>>): string | null =>
  names.reduce<string | null>((text, [id, name]) => text?.replaceAll(name, id) ?? null, answer);

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
    // first what waits, then the row: a crash in between sends once more, and never once less
    await wait(ports, { ...message, attempt: attempt + 1, due, byHand: false });
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
const rowOf = async ({ rows, clock }: Ports, { delivery, webhook, news }: DeliveryMessage): Promise<Known> => {
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
