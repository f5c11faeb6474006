import type { Webhook } from "../../domain/webhook/decider.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { NotYet, reasonOf } from "../../engine/kit/consumer.ts";
import { ChainBroken } from "../../engine/log/chain-broken.ts";
import { type Fed, openFeed, PATIENT, placeOf } from "../../engine/log/event-feed.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import type { Log } from "../../engine/log/log.ts";
import type { FeedPlace } from "../../engine/views/place-notes.ts";
import type { Views } from "../../engine/views/views.ts";
import type { FeedMessage } from "../../engine/webhooks/feed-message.ts";
import type { Post, Posted } from "../../engine/webhooks/post.ts";
import { signedHeaders } from "../../engine/webhooks/standard-message.ts";
import { verdictOn } from "../../engine/webhooks/verdict.ts";
import type { WebhookSecrets } from "../../engine/webhooks/webhook-secrets.ts";
import { type Batch, batchBody, batchesOf, batchId } from "./batch.ts";
import { belongsTo, type First } from "./belongs.ts";

export type Ports = {
  readonly aggregates: Pick<Aggregates, "webhook">;
  readonly log: Log;
  readonly first: First;
  readonly rows: Pick<Views, "place" | "setPlace" | "acquireSlot" | "releaseSlot">;
  readonly secrets: Pick<WebhookSecrets, "read">;
  readonly post: Post;
  readonly clock: Pick<Clock, "now" | "random">;
  /** one line for the operator; never a secret */
  report(line: Readonly<Record<string, unknown>>): void;
};

const ACTOR = "shiplog feed";
/** One request at a time is what keeps the order. */
const LINE = 0;
/** No request begins later: a turn is over before the next minute's message, and others have theirs. */
const BUDGET_MS = 35_000;
/** As long as the function may take: whoever died with the subscription's line gives it back by then. */
const HELD_MS = 90_000;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Waits after a request that was not taken; the last one again and again, for ever. */
const WAITS_MS = [5 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE];

/** The wait after so many failures in a row; up to a fifth longer by chance. Milliseconds. */
export const waitAfter = (attempts: number, random: number): number =>
  Math.round((WAITS_MS[Math.min(attempts, WAITS_MS.length) - 1] ?? 0) * (1 + random / 5));

/**
 * Tells a subscription the log from its place on, until its end or for half a minute; the next message goes on. What
 * was not taken is sent again, and nothing behind it before: nothing is skipped and nothing is given up. A message that
 * comes while another is being worked on does nothing, and none comes again: the next one does the same.
 *
 * @throws NotYet where a person asked while another turn is under way; Error where not even the fault could be noted
 */
export const feed =
  (ports: Ports) =>
  async ({ webhook, manual }: FeedMessage): Promise<void> => {
    const { rows, clock } = ports;
    const now = clock.now();
    const until = now + HELD_MS;
    if (!(await rows.acquireSlot(webhook, LINE, now, until))) {
      // what a person asked for is not lost in a request that hangs
      if (manual) throw new NotYet(`${webhook} is being told the log`, 10);
      return;
    }
    try {
      const telling = await begin(ports, webhook, manual);
      if (telling !== undefined) await tell(ports, telling);
    } finally {
      // what was told counts; a line that could not be given back ends by itself
      await rows.releaseSlot(webhook, LINE, until).catch(() => undefined);
    }
  };

/** A subscription that is being told: its state as it was found, its place as it is now, and until when requests may begin. */
type Telling = { readonly id: string; readonly state: Webhook; readonly ends: number; place: FeedPlace; turn: number };

/** `undefined` where nothing is to be told: it is paused, removed, or waits after a failure. */
const begin = async ({ aggregates, rows, clock }: Ports, id: string, manual: boolean): Promise<Telling | undefined> => {
  const { state } = await aggregates.webhook.load(id);
  if (!isWanted(state) || state.begins === null) return undefined;
  const { from, resets } = state.begins;
  const kept = await rows.place(id);
  const place = kept?.place.resets === resets ? kept.place : { resets, at: from, failing: null };
  const now = clock.now();
  const waits = place.failing !== null && place.failing.nextAt > now && place.failing.nextAt - now <= MAX_WAIT_MS;
  if (waits && !manual) return undefined;
  return { id, state, ends: now + BUDGET_MS, place, turn: kept?.turn ?? 0 };
};
/** Longer than any receiver may ask for: what is further away was dated by a clock that was ahead. */
const MAX_WAIT_MS = 25 * 60 * MINUTE;

const isWanted = ({ removed, disabled }: Webhook): boolean => !removed && disabled === null;

const tell = async (ports: Ports, telling: Telling): Promise<void> => {
  try {
    await tellAll(ports, telling);
  } catch (error) {
    // the next minute's message does what this one could not: noted, so that somebody sees it
    ports.report({ level: "error", message: "a subscription could not be told", webhook: telling.id, reason: reasonOf(error) });
    const reason = error instanceof ChainBroken ? error.message : "the engine itself failed; its log says why";
    const { failing } = telling.place;
    // a receiver that fails goes on waiting as it was
    if (failing === null || failing.events === 0) await fail(ports, telling, { reason, waitMs: 0, events: 0 });
  }
};

const tellAll = async (ports: Ports, telling: Telling): Promise<void> => {
  const { clock } = ports;
  const { at } = telling.place;
  const log = openFeed(ports, placeOf(at) ?? at, PATIENT);
  const belongs = belongsTo(telling.state.filters, ports.first);
  for (let more = true; more && clock.now() < telling.ends; ) {
    const page = await log.next();
    const wanted: Fed[] = [];
    for (const one of page.fed) if (await belongs(one.event)) wanted.push(one);
    for (const batch of batchesOf(wanted, telling.place.failing?.events || undefined))
      if (clock.now() >= telling.ends || !(await tellBatch(ports, telling, batch))) return;
    // behind what was passed over; what failed before any request is over
    const failing = (telling.place.failing?.events ?? 0) > 0 ? telling.place.failing : null;
    const isSame = log.here() === telling.place.at && failing === telling.place.failing;
    if (!isSame && !(await move(ports, telling, { ...telling.place, at: log.here(), failing }))) return;
    ({ more } = page);
  }
};

/** One request. @returns whether the next one may follow */
const tellBatch = async (ports: Ports, telling: Telling, batch: Batch): Promise<boolean> => {
  const { aggregates, clock } = ports;
  const { id, place } = telling;
  const { state } = await aggregates.webhook.load(id);
  // paused, removed or reset since the last one
  if (!isWanted(state) || state.begins?.resets !== place.resets) return false;
  const posted = await request(ports, telling, batch);
  const verdict = verdictOn("subscription", 1, posted, clock.now(), clock.random());
  if (verdict.is === "delivered") return move(ports, telling, { resets: place.resets, at: batch.at, failing: null });
  const waitMs = verdict.is === "retry" ? verdict.waitMs : 0;
  await fail(ports, telling, { reason: verdict.reason, waitMs, events: batch.events.length });
  if (verdict.is === "giveUp" && verdict.disable) {
    const cause = `${id}/${batchId(id, place.resets, batch)}/${telling.turn}/pause`;
    const because = { cause, correlation: cause, actor: ACTOR };
    await aggregates.webhook.execute(id, { type: "DisableWebhook", reason: `${verdict.reason}: it wants no more` }, because);
  }
  return false;
};

const request = async ({ secrets, post, clock }: Ports, { id, place }: Telling, batch: Batch): Promise<Posted> => {
  const secret = await secrets.read(id);
  if (secret === undefined)
    return { status: null, fault: "its secret is gone: remove it and add it again", retryAfter: null, answer: null };
  const now = clock.now();
  const body = batchBody(id, batch);
  const good = secret.signing.filter(({ until }) => until === null || until > now).map((one) => one.secret);
  return post(secret.url, signedHeaders(batchId(id, place.resets, batch), now, body, good), body);
};

type Failed = { readonly reason: string; readonly waitMs: number; readonly events: number };

/** Notes a failure: since when, and when the next try is. */
const fail = async (ports: Ports, telling: Telling, { reason, waitMs, events }: Failed): Promise<void> => {
  const { failing } = telling.place;
  const now = ports.clock.now();
  const attempts = (failing?.attempts ?? 0) + 1;
  // the engine's own fault is no reason to wait: the next minute's message tries again
  const nextAt = events === 0 ? now : now + Math.max(waitAfter(attempts, ports.clock.random()), waitMs);
  await move(ports, telling, { ...telling.place, failing: { since: failing?.since ?? now, attempts, nextAt, reason, events } });
};

/** Writes the place. @returns whether it is still this one's to write: who stood still for minutes has lost it to another */
const move = async ({ rows }: Ports, telling: Telling, place: FeedPlace): Promise<boolean> => {
  if (!(await rows.setPlace(telling.id, place, telling.turn))) return false;
  telling.place = place;
  telling.turn += 1;
  return true;
};
