import { Hono } from "hono";
import { html } from "hono/html";
import type { Query } from "../../client/http.ts";
import { deploymentBars, type Figures, figureCards, uncountedList } from "../dora.ts";
import { must, Refused } from "../engine.ts";
import { page, presentOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";
import { command, type Html, said } from "../words.ts";

const DAY = 24 * 3_600_000;
/** Periods that a link leads to, in days. */
const PERIODS = [7, 30, 90, 365] as const;

type Asked = Readonly<Record<"site" | "environment" | "since" | "until", string>>;
type Place = { readonly site: string; readonly environment: string };

/** `/dora`: the four figures of a place and a period, which stand in the URL. It reads all of the period, so it does not update itself. */
export const dora = (ports: Ports): Hono<Env> =>
  new Hono<Env>().get("/dora", async (context) => {
    const now = ports.now();
    const { site = "", environment = "", since = "", until = "" } = context.req.query();
    const asked = { site, environment, since, until };
    const client = clientOf(ports, context);
    const [places, answer] = await Promise.all([must(client.environments()), client.dora(queryOf(asked))]);
    // a period or a place that cannot be answered for is asked for again, and is no page that did not work
    if (!answer.ok && !(answer.failure.kind === "refused" && (answer.failure.status === 400 || answer.failure.status === 404)))
      throw new Refused(answer.failure);
    const shown = answer.ok
      ? figures(answer.value, asked, now)
      : html`<p class="reason" role="alert">${said(new Refused(answer.failure).message, 500)}</p>`;
    const body = html`<h1>DORA</h1>${periodForm(asked, places, now)}${shown}`;
    const screen = presentOf(ports, context);
    const status = answer.ok || answer.failure.kind !== "refused" ? 200 : answer.failure.status;
    return context.html(await page({ title: "DORA", room: "dora", screen, path: "/dora", body, withTime: false }), status as 200);
  });

/** What is left empty is not asked for. */
const queryOf = (asked: Asked): Query => Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ""));

const periodForm = (asked: Asked, places: readonly Place[], now: number): Html => {
  const options = (values: readonly string[]): Html =>
    html`${[...new Set(values)].sort().map((value) => html`<option value="${value}"></option>`)}`;
  const links = PERIODS.map((days) => {
    const query = queryOf({ ...asked, since: new Date(now - days * DAY).toISOString(), until: "" });
    return html` <a href="/dora?${new URLSearchParams(query as Record<string, string>).toString()}">${days} days</a>`;
  });
  const field = (name: keyof Asked, words: string, hint: string, list = ""): Html =>
    html`<span><label for="${name}">${words}</label> <input id="${name}" name="${name}" value="${asked[name]}" placeholder="${hint}" autocomplete="off"${list === "" ? "" : html` list="${list}"`}></span>`;
  return html`<form class="find" method="get" action="/dora">${field("site", "Site", "all", "sites")}${field("environment", "Environment", "all", "environments")}${field("since", "From", new Date(now - 30 * DAY).toISOString())}${field("until", "Until", "now")}<button>Show</button><span class="soft">the last${links}</span><datalist id="sites">${options(places.map(({ site }) => site))}</datalist><datalist id="environments">${options(places.map(({ environment }) => environment))}</datalist></form>`;
};

const figures = (found: Figures, asked: Asked, now: number): Html => {
  const days = Math.round(found.deploymentFrequency.days * 10) / 10;
  const period = html`<p class="soft">${found.site ?? "All sites"} / ${found.environment ?? "all environments"}, ${secondOf(found.since)} to ${secondOf(found.until)}: ${days} days.</p>`;
  const same = html`<p class="soft">The same from a terminal, and all that is counted with <code>--json</code>: ${command(commandOf(found, asked))}</p>`;
  if (found.deployments.length === 0)
    return html`${period}<p>No deployment went live in this period. Make one: <code>shiplog deploy &lt;dir&gt;</code>, or look further back.</p>${uncountedList(found, now)}${same}`;
  return html`${period}${deploymentBars(found)}${figureCards(found, now)}${uncountedList(found, now)}${same}`;
};

/** Of the answer, whose texts are plain, and never of the address: it is there to be copied into a shell. */
const commandOf = ({ site, environment, since, until }: Figures, asked: Asked): string =>
  [
    "shiplog dora",
    ...(
      [
        ["site", site ?? ""],
        ["env", environment ?? ""],
        ["since", asked.since === "" ? "" : since],
        ["until", asked.until === "" ? "" : until],
      ] as const
    ).flatMap(([option, value]) => (value === "" ? [] : [`--${option} ${value}`])),
  ].join(" ");

const secondOf = (at: string): string => at.replace("T", " ").replace(/\.\d+Z$/, " UTC");
