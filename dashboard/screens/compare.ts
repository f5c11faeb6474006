import { Hono } from "hono";
import { html } from "hono/html";
import { comparison } from "../comparison.ts";
import { must } from "../engine.ts";
import { page, presentOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";

/** `/compare?from=&to=`: two releases of a site side by side, by their ids. */
export const compare = (ports: Ports): Hono<Env> =>
  new Hono<Env>().get("/compare", async (context) => {
    const screen = presentOf(ports, context);
    const { from = "", to = "" } = context.req.query();
    const body =
      from.trim() === "" || to.trim() === ""
        ? html`<h1>Compare</h1>${chooser(from, to)}`
        : comparison(await must(clientOf(ports, context).compare(from.trim(), to.trim())), screen);
    return context.html(await page({ title: "Compare", room: "none", screen, path: "/compare", body, withTime: false }));
  });

const chooser = (from: string, to: string) =>
  html`<form class="find" method="get" action="/compare"><label for="from">From</label><input id="from" name="from" value="${from}" placeholder="dep_01J5" required><label for="to">To</label><input id="to" name="to" value="${to}" placeholder="dep_01J6" required><button>Compare</button></form><p class="soft">Ids of two deployments of one site, or their beginnings. <a href="/deployments">The deployments</a></p>`;
