import { Hono } from "hono";
import { html } from "hono/html";
import type { z } from "zod";
import type { Client } from "../../client/client.ts";
import type { EventView } from "../../client/contract.ts";
import type { Query } from "../../client/http.ts";
import { eventsTable } from "../deployments.ts";
import { must } from "../engine.ts";
import { page, presentOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";

const DAY = 24 * 3_600_000;
/** Events on a page, and pages of a thousand that are read for the newest. */
const SHOWN = 200;
const PAGES = 20;

type LogEvents = readonly z.infer<typeof EventView>[];

/** `/log`: every event, as it stands there. */
export const log = (ports: Ports): Hono<Env> =>
  new Hono<Env>().get("/log", async (context) => {
    const screen = presentOf(ports, context);
    const client = clientOf(ports, context);
    const { site, environment, type = "", since = "" } = context.req.query();
    const query = { site, environment, type: type === "" ? undefined : type };
    const newest = since === "" ? await newestEvents(client, query, ports.now()) : undefined;
    const { events, next } = newest ?? (await must(client.log({ ...query, since, limit: SHOWN })));
    const kept: [string, string][] = (
      [
        ["site", site],
        ["environment", environment],
      ] as const
    ).flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]]));
    const on = new URLSearchParams([...kept, ["type", type], ["since", next]]).toString();
    const caption =
      newest === undefined ? `${events.length} events from ${since} on` : `The newest ${events.length} events of the last day`;
    const body = html`<h1>Log</h1><form class="find" method="get" action="/log">${kept.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}<label for="since">From</label><input id="since" name="since" value="${since}" placeholder="${new Date(ports.now() - DAY).toISOString()}"><label for="type">Event</label><input id="type" name="type" value="${type}" placeholder="ReleaseWentLive"><button>Show</button></form>${eventsTable(events, screen, caption)}${newest === undefined ? html`<p><a href="/log?${on}">Go on from there</a></p>` : ""}`;
    return context.html(await page({ title: "Log", room: "log", screen, path: "/log", body, withTime: false }));
  });

/** Of the last day, the newest first; of a day with more than this reads, the end of what it reads. */
const newestEvents = async (client: Client, query: Query, now: number): Promise<{ events: LogEvents; next: string }> => {
  let found: LogEvents = [];
  let since = new Date(now - DAY).toISOString();
  for (let pages = 0; pages < PAGES; pages++) {
    const { events, next } = await must(client.log({ ...query, since, limit: 1_000 }));
    const known = new Set(found.map(({ id }) => id));
    const fresh = events.filter(({ id }) => !known.has(id));
    found = [...found, ...fresh].slice(-SHOWN);
    if (fresh.length === 0 || next === since) break;
    since = next;
  }
  return { events: found.toReversed(), next: since };
};
