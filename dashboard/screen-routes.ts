import { type Context, Hono } from "hono";
import { html } from "hono/html";
import type { z } from "zod";
import type { Client } from "../client/client.ts";
import type { EventView } from "../client/contract.ts";
import type { Query } from "../client/http.ts";
import { type DeploymentView, isEnd } from "../domain/projections/views.ts";
import { buildLog, deploymentHead, deploymentsTable, eventsTable } from "./deployments.ts";
import { must } from "./engine.ts";
import { changesTable, type Environment, environmentCard, type Glance, pathOf, timeline } from "./environments.ts";
import { LATER, page, type Screen, SOON } from "./layout.ts";
import { clientOf, type Env, type Ports } from "./ports.ts";

/** The newest of all environments that the overview looks at; what is live and older is asked for by itself. */
const NEWEST = 200;
const DAY = 24 * 3_600_000;
/** Changes of what was live: each is looked up. */
const HISTORY = 10;
/** Events on a page, and pages of a thousand that are read for the newest. */
const SHOWN = 200;
const PAGES = 20;

type LogEvents = readonly z.infer<typeof EventView>[];

/** The screens. Each takes `?at=` (ISO 8601, or a position of the log) and shows what the API says of then. */
export const screenRoutes = (ports: Ports): Hono<Env> => {
  const screenOf = ({ req }: Context): Screen => {
    const at = req.query("at");
    return { now: ports.now(), at: at === "" ? undefined : at };
  };

  return new Hono<Env>()
    .get("/", async (context) => {
      const screen = screenOf(context);
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
          keep: wanted === "" ? {} : { find: wanted },
        }),
      );
    })
    .get("/environments/:site/:environment", async (context) => {
      const screen = screenOf(context);
      const client = clientOf(ports, context);
      const { site, environment: name } = context.req.param();
      const [environments, recent] = await Promise.all([
        must(screen.at === undefined ? inList(client.environment(site, name)) : client.environments(screen.at)),
        must(client.deployments({ site, environment: name, limit: 50, at: screen.at })),
      ]);
      const environment = environments.find((one) => one.site === site && one.environment === name);
      if (environment === undefined) return context.notFound();
      const changes = screen.at === undefined ? (await must(client.history(site, name, { limit: HISTORY }))).changes : [];
      const glance = { environment, live: await liveOf(client, environment, recent, screen), recent };
      const body = html`${environmentCard(glance, screen, "h1")}${timeline(changes)}${changes.length === 0 ? "" : changesTable(changes, screen)}${deploymentsTable(recent, screen, "Deployments")}<p><a href="/log?site=${encodeURIComponent(site)}&amp;environment=${encodeURIComponent(name)}">Its events</a></p>`;
      return context.html(
        await page({ title: `${site} / ${name}`, room: "overview", screen, path: pathOf(environment), body, every: everyOf([glance]) }),
      );
    })
    .get("/deployments", async (context) => {
      const screen = screenOf(context);
      const deployments = await must(clientOf(ports, context).deployments({ limit: 100, at: screen.at }));
      const body = html`<h1>Deployments</h1>${deploymentsTable(deployments, screen, "The newest hundred")}`;
      return context.html(await page({ title: "Deployments", room: "deployments", screen, path: "/deployments", body, every: LATER }));
    })
    .get("/deployments/:id", async (context) => {
      const screen = screenOf(context);
      const client = clientOf(ports, context);
      const { deployment, progress } = await must(client.deployment(context.req.param("id"), screen.at));
      const [environments, { events }, log] = await Promise.all([
        must(
          screen.at === undefined ? inList(client.environment(deployment.site, deployment.environment)) : client.environments(screen.at),
        ),
        must(client.deploymentEvents(deployment.id, 0)),
        deployment.buildId === null || screen.at !== undefined ? undefined : client.logs(deployment.id, context.req.query("log")),
      ]);
      const isLive = environments.some(({ live }) => live?.deploymentId === deployment.id);
      const then = events.filter(({ version }) => version <= deployment.version);
      // the log of a build may be gone while its deployment is not
      const lines = log?.ok ? buildLog(log.value.lines, log.value.done ? null : log.value.next, deployment.id) : "";
      const body = html`${deploymentHead({ deployment, progress, isLive, screen })}${lines}${eventsTable(then, screen, "Events")}`;
      return context.html(
        await page({
          title: `Deployment #${deployment.sequence}`,
          room: "deployments",
          screen,
          path: context.req.path,
          body,
          every: isEnd(deployment.status) ? LATER : SOON,
        }),
      );
    })
    .get("/log", async (context) => {
      const screen = { now: ports.now(), at: undefined };
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
};

/** Something is on its way in one of them, or nothing is. */
const everyOf = (glances: readonly Glance[]): number =>
  glances.some(({ environment, recent }) => environment.flipping !== null || recent.some(({ status }) => !isEnd(status))) ? SOON : LATER;

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

const inList = async (answer: ReturnType<Client["environment"]>): ReturnType<Client["environments"]> => {
  const result = await answer;
  return result.ok ? { ok: true, value: [result.value] } : result;
};

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

const liveOf = async (
  client: Client,
  { live }: Environment,
  recent: readonly DeploymentView[],
  { at }: Screen,
): Promise<DeploymentView | undefined> => {
  if (live === null) return undefined;
  return recent.find(({ id }) => id === live.deploymentId) ?? (await must(client.deployment(live.deploymentId, at))).deployment;
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
