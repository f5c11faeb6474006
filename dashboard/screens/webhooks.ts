import { type Context, Hono } from "hono";
import { html } from "hono/html";
import type { Client } from "../../client/client.ts";
import { confirmation } from "../actions.ts";
import { must } from "../engine.ts";
import { LATER, page, presentOf, SOON } from "../layout.ts";
import { clientOf, type Env, formField, type Ports } from "../ports.ts";
import {
  askToEnable,
  askToRedeliver,
  askToTest,
  type Delivery,
  deliveryPage,
  deliveryPath,
  type Endpoint,
  webhookCard,
  webhookPage,
  webhookPath,
} from "../webhooks.ts";
import type { Html } from "../words.ts";

/** Deliveries below an endpoint of the list, and on its own page. */
const IN_LIST = 3;
const ON_PAGE = 50;

/** `/webhooks`, one endpoint, one delivery, and what can be done with them. */
export const webhooks = (ports: Ports): Hono<Env> => {
  const screenNow = (context: Context<Env>) => presentOf(ports, context);
  const show = async (context: Context<Env>, title: string, body: Html, every?: number): Promise<Response> =>
    context.html(
      await page({
        title,
        room: "webhooks",
        screen: screenNow(context),
        path: "/webhooks",
        body,
        withTime: false,
        ...(every !== undefined && { every }),
      }),
    );
  /** It is read before it is confirmed: nothing in it changes by itself. */
  const ask = (context: Context<Env>, asked: Parameters<typeof confirmation>[0]): Promise<Response> =>
    show(context, asked.title, confirmation(asked, ports.key(), screenNow(context)));
  const app = new Hono<Env>();
  app.get("/webhooks", async (context) => {
    const client = clientOf(ports, context);
    const all = await must(client.webhooks());
    const endpoints = await Promise.all(all.map(({ id }) => endpointOf(client, id, IN_LIST)));
    const screen = screenNow(context);
    const body = html`<h1>Webhooks</h1>${endpoints.length === 0 ? html`<p class="soft">Nobody is told of anything. Add an endpoint: <code>shiplog webhooks add -</code></p>` : html`<p class="soft">Another one: <code>shiplog webhooks add -</code></p><div class="grid">${endpoints.map((endpoint) => webhookCard(endpoint, screen))}</div>`}`;
    return show(context, "Webhooks", body, everyOf(endpoints.flatMap(({ deliveries }) => deliveries)));
  });
  app.get("/webhooks/:id", async (context) => {
    const endpoint = await endpointOf(clientOf(ports, context), context.req.param("id"), ON_PAGE);
    return show(context, `Webhook ${endpoint.webhook.id}`, webhookPage(endpoint, screenNow(context)), everyOf(endpoint.deliveries));
  });
  app.get("/webhooks/:id/deliveries/:delivery", async (context) => {
    const { webhook, delivery } = await deliveryOf(clientOf(ports, context), context.req.param());
    return show(context, `Delivery of ${delivery.type}`, deliveryPage(webhook, delivery, screenNow(context)), everyOf([delivery]));
  });

  app.get("/webhooks/:id/test", async (context) =>
    ask(context, askToTest(await must(clientOf(ports, context).webhook(context.req.param("id"))))),
  );
  app.post("/webhooks/:id/test", async (context) => {
    const sent = await must(clientOf(ports, context).testWebhook(context.req.param("id"), await formField(context, "key")));
    return context.redirect(deliveryPath(sent), 303);
  });
  app.get("/webhooks/:id/enable", async (context) =>
    ask(context, askToEnable(await must(clientOf(ports, context).webhook(context.req.param("id"))))),
  );
  app.post("/webhooks/:id/enable", async (context) => {
    const reason = await formField(context, "reason");
    const key = await formField(context, "key");
    const { id } = await must(
      clientOf(ports, context).changeWebhook(context.req.param("id"), "enable", reason === "" ? {} : { reason }, key),
    );
    return context.redirect(webhookPath(id), 303);
  });
  app.get("/webhooks/:id/deliveries/:delivery/redeliver", async (context) => {
    const { webhook, delivery } = await deliveryOf(clientOf(ports, context), context.req.param());
    return ask(context, askToRedeliver(webhook, delivery));
  });
  app.post("/webhooks/:id/deliveries/:delivery/redeliver", async (context) => {
    const client = clientOf(ports, context);
    const { webhook, delivery } = await deliveryOf(client, context.req.param());
    // this form was sent before, or somebody else sent it again meanwhile
    const isSeen = String(delivery.attempts) === (await formField(context, "attempts"));
    if (isSeen) await must(client.redeliver(webhook.id, delivery.id, await formField(context, "key")));
    return context.redirect(deliveryPath(delivery), 303);
  });
  return app;
};

const endpointOf = async (client: Client, id: string, limit: number): Promise<Endpoint> => {
  const [found, deliveries] = await Promise.all([must(client.webhookHealth(id)), must(client.deliveries(id, limit))]);
  return { ...found, deliveries };
};

const deliveryOf = async (client: Client, { id, delivery }: { readonly id: string; readonly delivery: string }) => {
  const [webhook, found] = await Promise.all([must(client.webhook(id)), must(client.delivery(id, delivery))]);
  return { webhook, delivery: found };
};

const everyOf = (deliveries: readonly Delivery[]): number => (deliveries.some(({ status }) => status === "pending") ? SOON : LATER);
