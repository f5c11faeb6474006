import type { z } from "zod";
import { MAX_COUNTED_BEHIND, type OneSubscription } from "../../client/contract.ts";
import { earlier, positionAt } from "../../domain/kernel/position.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { ChainBroken } from "../../engine/log/chain-broken.ts";
import { openFeed, PATIENT, placeOf } from "../../engine/log/event-feed.ts";
import type { Ports } from "./ports.ts";

export type Subscription = z.infer<typeof OneSubscription>["subscription"];
type Place = Awaited<ReturnType<Ports["webhooks"]["rows"]["place"]>>;

/** What readers see of subscriptions: what was decided, from the log, and how far its receiver is, from its row. */
export const subscriptionView = ({ aggregates, log, clock, sight, webhooks }: Ports) => {
  /** Reads no more of the log than it takes to say that it is much. */
  const behind = async (at: string, newest: string): Promise<NonNullable<Subscription["lag"]>> => {
    const reached = placeOf(at)?.reached ?? at;
    const seconds = Math.max(0, (Number(newest) - Number(reached)) / 1_000);
    const feed = openFeed({ log, clock }, placeOf(at) ?? at, PATIENT);
    let events = 0;
    for (let more = true; more && events <= MAX_COUNTED_BEHIND; ) {
      const page = await feed.next();
      events += page.fed.length;
      ({ more } = page);
    }
    const counted = Math.min(events, MAX_COUNTED_BEHIND);
    return { seconds: events === 0 ? 0 : seconds, events: counted, more: events > counted };
  };

  return async (view: WebhookView): Promise<Subscription> => {
    const { id, url, filters, actor, addedAt, rotatedAt, disabled } = view;
    const [{ state }, row, [last]] = await Promise.all([aggregates.webhook.load(id), webhooks.rows.place(id), sight.newest(1)]);
    const { from, resets } = state.begins ?? { from: view.from ?? positionAt(0), resets: 0 };
    const kept: Place = row?.place.resets === resets ? row : undefined;
    // what a clock that was ahead has written is not what it is behind
    const newest = earlier(last?.position ?? positionAt(0), positionAt(clock.now()));
    const reached = kept && placeOf(kept.place.at)?.reached;
    const failing = kept?.place.failing ?? null;
    return {
      id,
      url,
      filters,
      actor,
      addedAt,
      rotatedAt,
      from,
      place: reached === undefined ? null : { position: reached, at: timeOf(Number(reached)) },
      lag: await behind(kept?.place.at ?? from, newest).catch(unlessBroken),
      failing: failing && {
        since: timeOf(failing.since),
        attempts: failing.attempts,
        nextAt: timeOf(failing.nextAt),
        reason: failing.reason,
      },
      paused: disabled,
    };
  };
};

const timeOf = (ms: number): string => new Date(ms).toISOString();

/** A log that was changed is said elsewhere: whoever pauses a subscription, or is told its secret, is answered all the same. */
const unlessBroken = (error: unknown): null => {
  if (error instanceof ChainBroken) return null;
  throw error;
};
