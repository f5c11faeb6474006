import type { z } from "zod";
import { MAX_COUNTED_BEHIND, type OneSubscription } from "../../client/contract.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { ChainBroken } from "../../engine/log/chain-broken.ts";
import { openFeed, PATIENT, placeOf } from "../../engine/log/event-feed.ts";
import type { Ports } from "./ports.ts";

export type Subscription = z.infer<typeof OneSubscription>["subscription"];
type Place = Awaited<ReturnType<Ports["webhooks"]["rows"]["place"]>>;

/** What readers see of subscriptions: what was decided, from the log, and how far its receiver is, from its row. */
export const subscriptionView = ({ aggregates, log, clock, webhooks }: Ports) => {
  /** Reads no more of the log than it takes to say that it is much. */
  const behind = async (at: string): Promise<NonNullable<Subscription["lag"]>> => {
    const feed = openFeed({ log, clock }, placeOf(at) ?? at, PATIENT);
    let events = 0;
    let oldest: string | undefined;
    for (let more = true; more && events <= MAX_COUNTED_BEHIND; ) {
      const page = await feed.next();
      events += page.fed.length;
      oldest ??= page.fed[0]?.event.position;
      ({ more } = page);
    }
    const counted = Math.min(events, MAX_COUNTED_BEHIND);
    // what a clock that was ahead has written is not what it is behind
    const seconds = oldest === undefined ? 0 : Math.max(0, (clock.now() - Number(oldest)) / 1_000);
    return { seconds, events: counted, more: events > counted };
  };

  return async (view: WebhookView): Promise<Subscription> => {
    const { id, url, filters, actor, addedAt, rotatedAt, disabled } = view;
    const [{ state }, row] = await Promise.all([aggregates.webhook.load(id), webhooks.rows.place(id)]);
    const { from, resets } = state.begins ?? { from: view.from ?? positionAt(0), resets: 0 };
    const kept: Place = row?.place.resets === resets ? row : undefined;
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
      lag: await behind(kept?.place.at ?? from).catch(unlessBroken),
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
