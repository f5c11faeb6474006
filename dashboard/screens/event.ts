import { Hono } from "hono";
import { html } from "hono/html";
import type { z } from "zod";
import type { Client } from "../../client/client.ts";
import type { EventView } from "../../client/contract.ts";
import { must } from "../engine.ts";
import { plainPage } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";
import { said } from "../words.ts";

const MINUTE_MS = 60_000;
/** How far before its effect a cause is looked for: most are seconds away, and what a pin held may be a month. */
const WINDOWS_MS = [MINUTE_MS, 60 * MINUTE_MS, 24 * 60 * MINUTE_MS, 30 * 24 * 60 * MINUTE_MS];
/** Pages of a thousand events that are read for one. */
const MAX_PAGES = 20;

/** `/events/:id?before=`: leads to where an event stands in the log. There is no list of events by their ids: it is looked for before its effect. */
export const event = (ports: Ports): Hono<Env> =>
  new Hono<Env>().get("/events/:id", async (context) => {
    const id = context.req.param("id");
    const before = context.req.query("before") ?? "";
    const found = await findEvent(clientOf(ports, context), id, Number.isNaN(Date.parse(before)) ? ports.now() : Date.parse(before));
    if (found !== undefined) return context.redirect(`/log?since=${found.position}#${found.id}`);
    const body = html`<h1>Not found</h1><p role="alert">The event ${said(id, 64)} was not found in the time before its effect: the thirty days, or as much of them as is read for this.</p><p>It may be further back: <code>shiplog events --since 90d</code></p><p><a href="/log">To the log</a></p>`;
    return context.html(await plainPage("Not found", body), 404);
  });

/** @param before milliseconds since 1970, at which its effect was decided @throws Refused */
const findEvent = async (client: Client, id: string, before: number): Promise<z.infer<typeof EventView> | undefined> => {
  let pages = 0;
  for (const ms of WINDOWS_MS) {
    for (let since = new Date(before - ms).toISOString(); pages < MAX_PAGES; ) {
      pages += 1;
      const { events, next } = await must(client.log({ since, limit: 1_000 }));
      const found = events.find((event) => event.id === id);
      if (found !== undefined) return found;
      // causes come before their effects, but for clocks that differ by seconds
      if (events.length === 0 || next === since || events.every(({ at }) => Date.parse(at) > before + MINUTE_MS)) break;
      since = next;
    }
  }
  return undefined;
};
