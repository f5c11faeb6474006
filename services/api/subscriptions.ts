import { Hono } from "hono";
import { AddSubscription, ResetSubscription, WithReason } from "../../client/contract.ts";
import { eventTypes } from "../../domain/aggregates.ts";
import { beginsWithDay } from "../../domain/kernel/calendar.ts";
import { earlier, MAX_CLOCK_SKEW_MS, positionAt } from "../../domain/kernel/position.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { each } from "../../engine/kit/each.ts";
import { feedMessage } from "../../engine/webhooks/feed-message.ts";
import { bodyOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { endpointCommands } from "./endpoints.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";
import { type Subscription, subscriptionView } from "./subscription-view.ts";
import { lookWebhook } from "./webhooks.ts";

/** Subscriptions whose lag is looked at together. */
const WIDTH = 4;

/** `/v1/subscriptions`: receivers that are told the log from a place of their own. They are removed and rotated as webhooks are. */
export const subscriptions = (ports: Ports) => {
  const { rows, feed } = ports.webhooks;
  const { becauseOf, give, add } = endpointCommands(ports);
  const find = lookWebhook(ports);
  const places = look(ports);
  const show = subscriptionView(ports);
  const see = async (given: string): Promise<WebhookView> => {
    const view = await find(given).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== "webhook.unknown") throw error;
      throw new Problem(
        404,
        "subscription.unknown",
        `There is no subscription ${given.slice(0, 64)}. List them with: shiplog subscriptions ls.`,
      );
    });
    if (view.kind !== "subscription")
      throw new Problem(404, "subscription.unknown", `${view.id} is no subscription. List them with: shiplog subscriptions ls.`);
    return view;
  };
  /** It is tried at once, and not at the next minute. */
  const turn = (id: string): Promise<void> => feed(feedMessage(id, { manual: true }));
  const from = (text: string): string => beginningOf(text, ports.clock.now());

  return new Hono<Env>()
    .get("/", async (context) => {
      const views = (await rows.webhooks()).filter(({ kind }) => kind === "subscription");
      const shown = new Map<string, Subscription>();
      await each(views, WIDTH, async (view) => void shown.set(view.id, await show(view)));
      return context.json({ subscriptions: views.flatMap(({ id }) => shown.get(id) ?? []) });
    })
    .get("/:id", async (context) => context.json({ subscription: await show(await see(context.req.param("id"))) }))

    .post("/", async (context) => {
      const { url, from: begin, site, environment, types } = await bodyOf(context, AddSubscription);
      places.places(site, environment);
      const unknown = types.find((type) => !eventTypes.has(type));
      if (unknown !== undefined) throw invalid("types", `there are no events of the type ${unknown.slice(0, 64)}`);
      const filters = { site: site ?? null, environment: environment ?? null, types };
      const { id, secret } = await add(context, url, { kind: "subscription", filters, from: from(begin) });
      await turn(id);
      return context.json({ subscription: await show(await see(id)), secret }, 201);
    })

    .post("/:id/pause", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      const { id } = await see(context.req.param("id"));
      const because = await becauseOf(context);
      await give(because, id, { type: "DisableWebhook", reason: reason ?? `paused by ${because.actor}` }, "paused");
      return context.json({ subscription: await show(await see(id)) });
    })
    .post("/:id/resume", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      const { id } = await see(context.req.param("id"));
      await give(await becauseOf(context), id, { type: "EnableWebhook", ...(reason && { reason }) }, "resumed");
      await turn(id);
      return context.json({ subscription: await show(await see(id)) });
    })
    .post("/:id/reset", async (context) => {
      const { from: begin, reason } = await bodyOf(context, ResetSubscription);
      const { id } = await see(context.req.param("id"));
      await give(await becauseOf(context), id, { type: "ResetWebhook", from: from(begin), ...(reason && { reason }) }, "reset");
      await turn(id);
      return context.json({ subscription: await show(await see(id)) });
    });
};

/**
 * Where a subscription begins, as a position; never ahead of now, where it would pass over what is going to happen. A clock that was ahead
 * has left positions that are; a time that has not come is a mistake. @throws Problem 400
 */
const beginningOf = (text: string, now: number): string => {
  if (text === "beginning") return positionAt(0);
  if (text === "now") return positionAt(now);
  if (/^\d{15}$/.test(text)) return earlier(text, positionAt(now));
  const at = beginsWithDay(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw invalid("from", 'must be "beginning", "now", an ISO 8601 time or a position of 15 digits');
  if (at > now + MAX_CLOCK_SKEW_MS) throw invalid("from", `${text} has not come yet; "now" begins with what happens from now on`);
  return earlier(positionAt(at), positionAt(now));
};

const invalid = (field: string, why: string): Problem => new Problem(400, "body.invalid", `The request is not valid. "${field}": ${why}.`);
