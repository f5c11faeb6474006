import { Hono } from "hono";
import { html } from "hono/html";
import type { z } from "zod";
import type { Client } from "../../client/client.ts";
import type { EventView } from "../../client/contract.ts";
import type { Query } from "../../client/http.ts";
import { eventsTable } from "../deployments.ts";
import { must } from "../engine.ts";
import { LATER, momentOf, page, screenOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";

const HOUR = 3_600_000;
/** How far back the newest events are looked for, until there are enough: milliseconds, and in words. */
const BACK: readonly (readonly [number, string])[] = [
  [HOUR / 6, "last ten minutes"],
  [6 * HOUR, "last six hours"],
  [24 * HOUR, "last day"],
  [7 * 24 * HOUR, "last week"],
];
/** Events on a page, and pages of a thousand that are read of a stretch. */
const SHOWN = 200;
const PAGES = 20;

type LogEvents = readonly z.infer<typeof EventView>[];
type Stretch = { readonly events: LogEvents; readonly next: string };

/** `/log`: every event, as it stands there. */
export const log = (ports: Ports): Hono<Env> =>
  new Hono<Env>().get("/log", async (context) => {
    const screen = screenOf(ports, context);
    const client = clientOf(ports, context);
    const { site, environment, type = "", since = "" } = context.req.query();
    const query = { site, environment, type: type === "" ? undefined : type, until: screen.at };
    const kept = Object.fromEntries(Object.entries({ site, environment }).filter(([, value]) => value)) as Record<string, string>;
    const at = { ...(screen.at !== undefined && { at: screen.at }) };
    const { events, caption, next } =
      since === ""
        ? await newestEvents(client, query, momentOf(screen.at ?? "") ?? screen.now)
        : await eventsFrom(client, { ...query, since, limit: SHOWN });
    const on = new URLSearchParams({ ...kept, ...at, type, since: next ?? "" }).toString();
    const hidden = Object.entries({ ...kept, ...at }).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
    const body = html`<h1>Log</h1><form class="find" method="get" action="/log">${hidden}<label for="since">From</label><input id="since" name="since" value="${since}" placeholder="${new Date(screen.now - 24 * HOUR).toISOString()}"><label for="type">Event</label><input id="type" name="type" type="search" value="${type}" placeholder="ReleaseWentLive"><button>Show</button></form>${eventsTable(events, screen, caption)}${next === undefined ? "" : html`<p><a href="/log?${on}">Go on from there</a></p>`}`;
    // with a filter all of a week is looked through: not again and again by itself
    const isWhole = since === "" && type === "" && Object.keys(kept).length === 0;
    const keep = { ...kept, ...(type !== "" && { type }) };
    return context.html(await page({ title: "Log", room: "log", screen, path: "/log", body, keep, ...(isWhole && { every: LATER }) }));
  });

type Shown = { readonly events: LogEvents; readonly caption: string; readonly next?: string };

const eventsFrom = async (client: Client, query: Query): Promise<Shown> => {
  const { events, next } = await must(client.log(query));
  return { events, next, caption: `${events.length} events from ${query.since} on` };
};

/** The newest before a moment, the newest first. A stretch is read from its beginning, so short ones are looked at first. */
const newestEvents = async (client: Client, query: Query, moment: number): Promise<Shown> => {
  let events: LogEvents = [];
  let said = "";
  for (const [ms, words] of BACK) {
    events = await lastOf(client, { ...query, since: new Date(moment - ms).toISOString() });
    said = words;
    if (events.length >= SHOWN) break;
  }
  return { events: events.toReversed(), caption: `The newest ${events.length} events of the ${said}` };
};

/** The last events of a stretch; of one with more than this reads, the end of what it reads. */
const lastOf = async (client: Client, query: Query & { readonly since: string }): Promise<LogEvents> => {
  let found: LogEvents = [];
  let { since } = query;
  for (let pages = 0; pages < PAGES; pages++) {
    const { events, next }: Stretch = await must(client.log({ ...query, since, limit: 1_000 }));
    const known = new Set(found.map(({ id }) => id));
    const fresh = events.filter(({ id }) => !known.has(id));
    found = [...found, ...fresh].slice(-SHOWN);
    if (fresh.length === 0 || next === since) break;
    since = next;
  }
  return found;
};
