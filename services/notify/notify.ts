import type { Recorded } from "../../domain/kernel/event.ts";
import { newDelivery } from "../../domain/webhook/delivery.ts";
import { type News, wants } from "../../domain/webhook/news.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { each } from "../../engine/kit/each.ts";
import type { Views } from "../../engine/views/views.ts";
import { type DeliveryMessage, deliveryId } from "../../engine/webhooks/delivery.ts";

export type Ports<E> = {
  news(event: E): Promise<News | undefined>;
  readonly rows: Pick<Views, "webhooks" | "delivery" | "noteDelivery">;
  /** puts a message into the queue of `deliver` */
  send(body: string): Promise<void>;
  readonly clock: Pick<Clock, "now">;
};

/**
 * Makes one delivery for each endpoint that wants to hear of an event. It sends nothing itself: each delivery is a
 * message of its own, so that an endpoint waits for no other.
 */
export const notify =
  <E extends Recorded>({ news: newsOf, rows, send, clock }: Ports<E>) =>
  async (event: E): Promise<void> => {
    const endpoints = (await rows.webhooks()).filter(({ disabled, kind }) => disabled === null && kind !== "subscription");
    if (endpoints.length === 0) return;
    const news = await newsOf(event);
    if (news === undefined) return;
    await each(
      endpoints.filter(({ filters, addedAt }) => addedAt <= event.at && wants(filters, news)),
      5,
      async ({ id: webhook }) => {
        const delivery = deliveryId(event.id, webhook);
        if ((await rows.delivery(delivery)) !== undefined) return;
        const now = clock.now();
        const message: DeliveryMessage = { delivery, webhook, attempt: 1, due: now, byHand: false, once: false, news };
        // first the queue, then the row: a crash in between sends once more, and never once less
        await send(JSON.stringify(message));
        await rows.noteDelivery(newDelivery(delivery, webhook, news, new Date(now).toISOString()), news);
      },
    );
  };
