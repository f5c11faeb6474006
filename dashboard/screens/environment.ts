import { Hono } from "hono";
import { html } from "hono/html";
import { deploymentsTable } from "../deployments.ts";
import { must } from "../engine.ts";
import { changesTable, environmentCard, pathOf, timeline } from "../environments.ts";
import { page, screenOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";
import { releasesTable, routedDeployments } from "../releases.ts";
import { everyOf, liveOf, saysOf } from "./glance.ts";

/** Changes of what was live: each is looked up. */
const HISTORY = 10;

/** `/environments/:site/:environment`: what was live, and what is asked for. */
export const environment = (ports: Ports): Hono<Env> =>
  new Hono<Env>().get("/environments/:site/:environment", async (context) => {
    const screen = screenOf(ports, context);
    const client = clientOf(ports, context);
    const { site, environment: name } = context.req.param();
    const [environment, recent, { changes }] = await Promise.all([
      must(client.environment(site, name, screen.at)),
      must(client.deployments({ site, environment: name, limit: 50, at: screen.at })),
      must(client.history(site, name, { limit: HISTORY, at: screen.at })),
    ]);
    const routed = await routedDeployments(client, environment, recent);
    const glance = { environment, live: await liveOf(client, environment, recent, screen), recent };
    const body = html`${environmentCard(glance, screen, "h1")}${timeline(changes, recent)}${changes.length === 0 ? "" : changesTable(changes, screen)}${releasesTable(environment, routed, screen)}${deploymentsTable(recent, screen, "Deployments")}<p><a href="/log?site=${encodeURIComponent(site)}&amp;environment=${encodeURIComponent(name)}">Its events</a></p>`;
    return context.html(
      await page({
        title: `${site} / ${name}`,
        room: "overview",
        screen,
        path: pathOf(environment),
        body,
        every: everyOf([glance]),
        says: saysOf(glance),
        shows: [`environment/${site}/${name}`, ...recent.map(({ id }) => `deployment/${id}`)],
      }),
    );
  });
