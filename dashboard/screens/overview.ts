import { Hono } from "hono";
import { html } from "hono/html";
import type { Client } from "../../client/client.ts";
import { type DeploymentView, isEnd } from "../../domain/projections/views.ts";
import { must } from "../engine.ts";
import { deploymentPath, environmentCard, environmentsTable, type Glance } from "../environments.ts";
import { linkTo, page, type Screen, screenOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";
import { type Html, lasting, statusBadge } from "../words.ts";
import { everyOf, saysOf } from "./glance.ts";

/** The newest of all environments that are looked at; what is live and older is asked for by its id. */
const NEWEST = 200;
/** Ids of deployments in one question. */
const IDS = 100;
/** More environments than this are a list, a line each. */
const CARDS = 12;

/** `/`: an environment a card, or a line where there are many. */
export const overview = (ports: Ports): Hono<Env> =>
  new Hono<Env>().get("/", async (context) => {
    const screen = screenOf(ports, context);
    const glances = await everyGlance(clientOf(ports, context), screen);
    const { find = "", only = "" } = context.req.query();
    const wanted = find.toLowerCase();
    const found = glances.filter((glance) => wordsOf(glance).includes(wanted) && isOf(only, glance));
    const keep = { ...(find !== "" && { find }), ...(only !== "" && { only }) };
    const body = html`<h1>Environments</h1>${findForm(find, only, screen)}${filters(glances, { ...keep, ...(screen.at !== undefined && { at: screen.at }) })}${queueOf(glances, screen)}${found.length === 0 ? html`<p class="soft">${glances.length === 0 ? "No site is declared. Add one to the sites file." : "Nothing fits."}</p>` : found.length > CARDS ? environmentsTable(found, screen) : html`<div class="grid">${found.map((glance) => environmentCard(glance, screen, "h2"))}</div>`}`;
    const every = everyOf(glances);
    return context.html(
      await page({ title: "Overview", room: "overview", screen, path: "/", body, every, says: found.flatMap(saysOf), keep }),
    );
  });

const findForm = (find: string, only: string, { at }: Screen): Html =>
  html`<form class="find" method="get" action="/" role="search">${at === undefined ? "" : html`<input type="hidden" name="at" value="${at}">`}${only === "" ? "" : html`<input type="hidden" name="only" value="${only}">`}<label for="find">Find</label><input id="find" name="find" type="search" value="${find}" placeholder="site, commit, person"><button>Find</button></form>`;

/** What one may want to see alone. */
const ONLY: Readonly<Record<string, (glance: Glance) => boolean>> = {
  moving: ({ environment: { flipping }, recent }) => flipping !== null || recent.some(({ status }) => !isEnd(status) && status !== "held"),
  held: ({ environment: { pin, lock, waiting } }) => pin !== null || lock !== null || waiting !== null,
  failed: ({ environment: { live }, recent }) =>
    recent.some(({ status, sequence }) => status === "failed" && sequence > (live?.sequence ?? 0)),
  drift: ({ environment: { drifts } }) => drifts.length > 0,
};
const isOf = (only: string, glance: Glance): boolean => ONLY[only]?.(glance) ?? true;

const filters = (glances: readonly Glance[], keep: Readonly<Record<string, string>>): Html => {
  const { only: chosen = "", ...rest } = keep;
  const link = (name: string, words: string): Html => {
    const query = new URLSearchParams({ ...rest, ...(name !== "" && { only: name }) }).toString();
    return html`<a href="/${query === "" ? "" : `?${query}`}"${name === chosen ? html` aria-current="true"` : ""}>${words}</a>`;
  };
  const counted = Object.entries(ONLY).map(([name, fits]) => link(name, `${name} ${glances.filter(fits).length}`));
  return html`<p class="find filters">${link("", `all ${glances.length}`)}${counted}</p>`;
};

/** What waits its turn or is on its way, in all of them, the oldest first. */
const queueOf = (glances: readonly Glance[], screen: Screen): Html | string => {
  const moving = glances.flatMap(({ recent }) => recent.filter(({ status }) => !isEnd(status)));
  if (moving.length < 2) return "";
  const rows = moving
    .sort((a, b) => (a.queuedAt < b.queuedAt ? -1 : 1))
    .slice(0, QUEUED)
    .map(
      (deployment) =>
        html`<li>${statusBadge(deployment)} <a href="${linkTo(deploymentPath(deployment.id), screen)}">${deployment.site} / ${deployment.environment} #${deployment.sequence}</a> <span class="soft">for ${lasting(screen.now - Date.parse(deployment.since))}</span></li>`,
    );
  const more = moving.length > QUEUED ? html`<li class="soft">and ${moving.length - QUEUED} more</li>` : "";
  return html`<section aria-labelledby="queue"><h2 id="queue">On its way</h2><ol class="queue">${rows}${more}</ol></section>`;
};
const QUEUED = 20;

const everyGlance = async (client: Client, screen: Screen): Promise<Glance[]> => {
  const [environments, newest] = await Promise.all([
    must(client.environments(screen.at)),
    must(client.deployments({ limit: NEWEST, at: screen.at })),
  ]);
  const known = new Map(newest.map((deployment) => [deployment.id, deployment]));
  const older = environments.flatMap(({ live }) => (live === null || known.has(live.deploymentId) ? [] : [live.deploymentId]));
  for (const deployment of await deploymentsOf(client, older, screen)) known.set(deployment.id, deployment);
  const byPlace = Map.groupBy(newest, ({ site, environment }) => `${site}/${environment}`);
  return environments.map((environment) => ({
    environment,
    live: environment.live === null ? undefined : known.get(environment.live.deploymentId),
    recent: byPlace.get(`${environment.site}/${environment.environment}`) ?? [],
  }));
};

const deploymentsOf = async (client: Client, ids: readonly string[], { at }: Screen): Promise<DeploymentView[]> => {
  if (at !== undefined)
    return (await Promise.all(ids.map(async (id) => must(client.deployment(id, at))))).map(({ deployment }) => deployment);
  const pages = Array.from({ length: Math.ceil(ids.length / IDS) }, (_, n) => ids.slice(n * IDS, (n + 1) * IDS).join(","));
  return (await Promise.all(pages.map((page) => must(client.deployments({ ids: page }))))).flat();
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
