import { Hono } from "hono";
import { html } from "hono/html";
import type { Client } from "../../client/client.ts";
import { must } from "../engine.ts";
import { environmentCard, type Glance } from "../environments.ts";
import { page, type Screen, screenOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";
import { everyOf, liveOf, saysOf } from "./glance.ts";

/** The newest of all environments that are looked at; what is live and older is asked for by itself. */
const NEWEST = 200;

/** `/`: an environment a card. */
export const overview = (ports: Ports): Hono<Env> =>
  new Hono<Env>().get("/", async (context) => {
    const screen = screenOf(ports, context);
    const glances = await everyGlance(clientOf(ports, context), screen);
    const wanted = (context.req.query("find") ?? "").toLowerCase();
    const found = glances.filter((glance) => wordsOf(glance).includes(wanted));
    const body = html`<h1>Environments</h1><form class="find" method="get" action="/" role="search">${screen.at === undefined ? "" : html`<input type="hidden" name="at" value="${screen.at}">`}<label for="find">Find</label><input id="find" name="find" type="search" value="${wanted}" placeholder="site, commit, person"><button>Find</button></form>${found.length === 0 ? html`<p class="soft">${glances.length === 0 ? "No site is declared. Add one to the sites file." : "Nothing fits."}</p>` : ""}<div class="grid">${found.map((glance) => environmentCard(glance, screen, "h2"))}</div>`;
    return context.html(
      await page({
        title: "Overview",
        room: "overview",
        screen,
        path: "/",
        body,
        every: everyOf(glances),
        says: found.flatMap(saysOf),
        keep: wanted === "" ? {} : { find: wanted },
      }),
    );
  });

const everyGlance = async (client: Client, screen: Screen): Promise<Glance[]> => {
  const [environments, newest] = await Promise.all([
    must(client.environments(screen.at)),
    must(client.deployments({ limit: NEWEST, at: screen.at })),
  ]);
  return Promise.all(
    environments.map(async (environment) => {
      const recent = newest.filter((one) => one.site === environment.site && one.environment === environment.environment);
      return { environment, live: await liveOf(client, environment, recent, screen), recent };
    }),
  );
};

/** What is looked through for what somebody wants to find. */
const wordsOf = ({ environment, live, recent }: Glance): string =>
  [
    environment.site,
    environment.environment,
    environment.url,
    ...[live, ...recent].flatMap((one) =>
      one === undefined ? [] : [one.id, one.actor, one.commit?.sha, one.commit?.message, one.commit?.branch],
    ),
  ]
    .join(" ")
    .toLowerCase();
