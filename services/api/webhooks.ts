import { Hono } from "hono";
import { AddWebhook, WithReason } from "../../client/contract.ts";
import { normalWebhookId, WebhookId, webhookStream } from "../../domain/kernel/identity.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import { bodyOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { endpointCommands } from "./endpoints.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

const DAY_MS = 86_400_000;
/** How long the secret before goes on signing, so that receivers can change over. */
const OVERLAP_MS = DAY_MS;

/**
 * One endpoint by its id or a unique beginning of it; a problem where there is none. Never stale: read to the log's end.
 * With `removed` also one that was removed, by its whole id.
 */
export const lookWebhook = ({ read, webhooks }: Pick<Ports, "read" | "webhooks">) => {
  const one = async (id: string, removed: boolean): Promise<WebhookView> => {
    const view = foldRow("webhooks", undefined, (await read(webhookStream(id), 0)).flatMap(eventsOf));
    if (view === undefined || (view.removedAt !== null && !removed))
      throw new Problem(404, "webhook.unknown", `There is no webhook endpoint ${id}. List them with: shiplog webhooks ls.`);
    return view;
  };
  return async (given: string, { removed = false } = {}): Promise<WebhookView> => {
    const id = normalWebhookId(given);
    if (WebhookId.safeParse(id).success) return one(id, removed);
    const found = (await webhooks.rows.webhooks()).filter((view) => view.id.startsWith(id)).map((view) => view.id);
    if (found.length > 1)
      throw new Problem(409, "id.ambiguous", `Several endpoints have an id that begins with "${given.slice(0, 64)}".`, found);
    return one(found[0] ?? id.slice(0, 64), removed);
  };
};

/** `/v1/webhooks`: endpoints that hear of what happens. The URL comes in here once, and never goes out again. */
export const webhooks = (ports: Ports) => {
  const see = lookWebhook(ports);
  const places = look(ports);
  const { secrets, rows } = ports.webhooks;

  const { becauseOf, give, note, add } = endpointCommands(ports);

  return new Hono<Env>()
    .get("/", async (context) => context.json({ webhooks: (await rows.webhooks()).filter(({ kind }) => kind !== "subscription") }))
    .get("/:id", async (context) => {
      const webhook = await see(context.req.param("id"));
      const { failingSince, throttledUntil } = await rows.health(webhook.id);
      const pausedUntil = throttledUntil > ports.clock.now() ? timeOf(throttledUntil) : null;
      return context.json({ webhook, health: { failingSince: failingSince > 0 ? timeOf(failingSince) : null, pausedUntil } });
    })

    .post("/", async (context) => {
      const { kind, url: text, site, environment, types } = await bodyOf(context, AddWebhook);
      places.places(site, environment);
      const { id, secret } = await add(context, text, { kind, filters: { site: site ?? null, environment: environment ?? null, types } });
      return context.json({ webhook: await see(id), secret }, 201);
    })

    .post("/:id/rotate", async (context) => {
      const { id } = await see(context.req.param("id"));
      const because = await becauseOf(context);
      const { cause } = because;
      const now = ports.clock.now();
      const kept = await secrets.read(id);
      if (kept === undefined)
        throw new Problem(409, "webhook.secret-gone", `The secret of ${id} is gone. Remove the endpoint and add it again.`);

      // first the event, then the secret: a crash in between ends no secret that receivers still check with
      const until = now + OVERLAP_MS;
      await give(because, id, { type: "RotateSecret", previousUntil: new Date(until).toISOString() }, "given a new secret");
      // the same command again makes no second secret
      const made = kept.signing.find((one) => one.cause === cause);
      const newest = made ?? { secret: ports.chance.signingSecret(), until: null, cause };
      const before = kept.signing
        .filter((one) => one.until === null || one.until > now)
        .map((one) => ({ ...one, until: one.until ?? until }));
      if (made === undefined) await secrets.write(id, { ...kept, signing: [newest, ...before].slice(0, 3) });
      return context.json({ webhook: await see(id), secret: newest.secret });
    })

    .post("/:id/enable", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      const { id } = await see(context.req.param("id"));
      // first its health: it begins anew, and what failed before does not disable it at the next failure
      await rows.setHealth(id, { failingSince: 0, throttledUntil: 0 });
      await give(await becauseOf(context), id, { type: "EnableWebhook", ...(reason && { reason }) }, "enabled");
      return context.json({ webhook: await see(id) });
    })

    .post("/:id/remove", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      // one that is removed already, too: its secret may be there still
      const { id } = await see(context.req.param("id"), { removed: true });
      const because = await becauseOf(context);
      await note(id);
      await give(because, id, { type: "RemoveWebhook", ...(reason && { reason }) }, "removed");
      await rows.forgetPlace(id);
      return context.json({ webhook: await see(id, { removed: true }) });
    });
};

const timeOf = (ms: number): string => new Date(ms).toISOString();
