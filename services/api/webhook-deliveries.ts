import { type Context, Hono } from "hono";
import { ListDeliveries } from "../../client/contract.ts";
import { type Delivery, newDelivery } from "../../domain/webhook/delivery.ts";
import type { News } from "../../domain/webhook/news.ts";
import { type DeliveryMessage, deliveryId } from "../../engine/webhooks/delivery.ts";
import { queryOf } from "./body.ts";
import { commandOf, type Env } from "./caller.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";
import { testNews } from "./webhook-input.ts";
import { lookWebhook } from "./webhooks.ts";

/** An id may be given by its beginning, among so many of the newest. */
const LOOKED_THROUGH = 200;

/** `/v1/webhooks/:id/deliveries`: what was sent to an endpoint, once more, or for a trial. */
export const webhookDeliveries = (ports: Ports) => {
  const lookUp = lookWebhook(ports);
  /** What a subscription is sent has one order, which nothing goes beside. */
  const see: typeof lookUp = async (given, options) => {
    const view = await lookUp(given, options);
    if (view.kind === "subscription")
      throw new Problem(
        409,
        "webhook.in-order",
        `${view.id} is a subscription: it is told the log in its order. See: shiplog subscriptions show ${view.id}.`,
      );
    return view;
  };
  const { rows, send } = ports.webhooks;

  const find = async (webhook: string, given: string): Promise<{ delivery: Delivery; news: News }> => {
    const known = await rows.delivery(given);
    if (known?.delivery.webhook === webhook) return known;
    const all = await rows.deliveries(webhook, LOOKED_THROUGH);
    const found = all.filter(({ id }) => given.length > 0 && (id.startsWith(given) || id.startsWith(`msg_${given}`)));
    if (found.length > 1)
      throw new Problem(
        409,
        "id.ambiguous",
        `Several deliveries have an id that begins with "${given.slice(0, 64)}".`,
        found.map(({ id }) => id),
      );
    const one = found[0] && (await rows.delivery(found[0].id));
    if (one === undefined) throw new Problem(404, "delivery.unknown", `Nothing was sent to ${webhook} as ${given.slice(0, 64)}.`);
    return one;
  };
  const enqueue = async (message: DeliveryMessage): Promise<void> => send(JSON.stringify(message));
  const causeOf = (context: Context<Env>) => commandOf(context, ports.views);

  return new Hono<Env>()
    .post("/:id/test", async (context) => {
      const view = await see(context.req.param("id"));
      const { cause, actor } = await causeOf(context);
      const now = ports.clock.now();
      const news = testNews(view, cause.replace("api/", "test_"), actor, now);
      const delivery = newDelivery(deliveryId(news.event, view.id), view.id, news, news.at);
      // the same command again sends nothing new
      const known = await rows.delivery(delivery.id);
      if (known !== undefined) return context.json({ delivery: known.delivery }, 202);
      // first the queue, then the row: a crash in between sends it all the same, and leaves no row that waits for ever
      await enqueue({ delivery: delivery.id, webhook: view.id, attempt: 1, due: now, byHand: true, once: true, news });
      await rows.noteDelivery(delivery, news);
      return context.json({ delivery }, 202);
    })
    .get("/:id/deliveries", async (context) => {
      const { limit } = queryOf(context, ListDeliveries);
      const { id } = await see(context.req.param("id"));
      return context.json({ deliveries: await rows.deliveries(id, limit) });
    })
    .get("/:id/deliveries/:delivery", async (context) => {
      const { id } = await see(context.req.param("id"));
      return context.json({ delivery: (await find(id, context.req.param("delivery"))).delivery });
    })
    .post("/:id/deliveries/:delivery/redeliver", async (context) => {
      const { id } = await see(context.req.param("id"));
      const { delivery, news } = await find(id, context.req.param("delivery"));
      const attempt = delivery.attempts + 1;
      await enqueue({ delivery: delivery.id, webhook: id, attempt, due: ports.clock.now(), byHand: true, once: false, news });
      return context.json({ delivery }, 202);
    });
};
