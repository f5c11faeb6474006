import { html } from "hono/html";
import type { z } from "zod";
import type { ManyWebhooks, OneDelivery, OneWebhook } from "../client/contract.ts";
import type { confirmation } from "./actions.ts";
import { deploymentPath, pathOf } from "./environments.ts";
import { linkTo, type Screen } from "./layout.ts";
import { ago, badge, type Html, lasting, said, shortId } from "./words.ts";

export type Webhook = z.infer<typeof ManyWebhooks>["webhooks"][number];
export type Delivery = z.infer<typeof OneDelivery>["delivery"];
export type Endpoint = z.infer<typeof OneWebhook> & { readonly deliveries: readonly Delivery[] };
type Asked = Parameters<typeof confirmation>[0];

export const webhookPath = (id: string): string => `/webhooks/${encodeURIComponent(id)}`;
export const deliveryPath = ({ webhook, id }: Pick<Delivery, "webhook" | "id">): string =>
  `${webhookPath(webhook)}/deliveries/${encodeURIComponent(id)}`;

const hostOf = ({ url }: Webhook): string => said(url.replace(/^https?:\/\//, "").replace(/\/…$/, ""), 120);

/** An endpoint in the list, with its newest deliveries. */
export const webhookCard = (endpoint: Endpoint, screen: Screen): Html => {
  const { webhook, deliveries } = endpoint;
  return html`<article class="card" id="${webhook.id}"><header><h2><a href="${webhookPath(webhook.id)}">${hostOf(webhook)}</a></h2>${stateOf(endpoint)}<span class="end soft">${webhook.kind}</span></header>${factsOf(webhook, screen)}${troubleOf(endpoint, screen)}${deliveriesTable(deliveries, screen, "Newest deliveries")}</article>`;
};

/** One endpoint with what was sent to it, and what one can do. */
export const webhookPage = (endpoint: Endpoint, screen: Screen): Html => {
  const { webhook, deliveries } = endpoint;
  const link = (verb: string, words: string): Html => html`<a class="button" href="${webhookPath(webhook.id)}/${verb}">${words}</a>`;
  return html`<header class="head"><h1>${hostOf(webhook)}</h1>${stateOf(endpoint)}</header>${factsOf(webhook, screen)}${troubleOf(endpoint, screen)}${screen.canAct ? html`<p class="row">${link("test", "Send a test…")}${webhook.disabled === null ? "" : link("enable", "Enable…")}</p>` : ""}${deliveriesTable(deliveries, screen, "Deliveries, the newest first")}<p class="soft">Its URL and its signing secret are never shown. <code>shiplog webhooks rotate ${webhook.id}</code> makes a new secret, <code>shiplog webhooks rm ${webhook.id}</code> removes the endpoint.</p>`;
};

const stateOf = ({ webhook, health }: Endpoint): Html => {
  if (webhook.disabled !== null) return badge("failed", "disabled");
  if (health?.failingSince) return badge("held", "failing");
  if (health?.pausedUntil) return badge("held", "paused");
  return badge("live", "enabled");
};

const factsOf = ({ id, kind, url, filters, actor, addedAt, rotatedAt }: Webhook, screen: Screen): Html => {
  const place =
    filters.site === null && filters.environment === null
      ? "everywhere"
      : `${filters.site ?? "every site"} / ${filters.environment ?? "every environment"}`;
  const types = filters.types.length === 0 ? "every change of a status" : filters.types.join(", ");
  return html`<dl><dt>Id</dt><dd><code>${id}</code></dd><dt>Kind</dt><dd>${kind === "slack" ? "Slack" : "Standard Webhooks"}, ${said(url, 120)}</dd><dt>Hears of</dt><dd>${said(types, 1_000)}; ${place}</dd><dt>Added</dt><dd>${ago(addedAt, screen.now)} by ${said(actor, 80)}${rotatedAt === null ? "" : html`; its secret is from ${ago(rotatedAt, screen.now)}`}</dd></dl>`;
};

const troubleOf = ({ webhook: { disabled }, health }: Endpoint, screen: Screen): Html =>
  html`${[
    disabled === null ? "" : html`<p class="reason">Disabled ${ago(disabled.at, screen.now)}: ${said(disabled.reason, 500)}</p>`,
    health?.failingSince ? html`<p class="soft">Nothing has arrived since ${ago(health.failingSince, screen.now)}.</p>` : "",
    health?.pausedUntil
      ? html`<p class="soft">It asked for a pause of ${lasting(Date.parse(health.pausedUntil) - screen.now)} more.</p>`
      : "",
  ]}`;

const TONES = { pending: "moving", delivered: "live", dead: "failed", dropped: "gone" } as const;
const WORDS = { pending: "on its way", delivered: "delivered", dead: "given up", dropped: "not sent" } as const;
const deliveryBadge = ({ status }: Delivery): Html => badge(TONES[status], WORDS[status]);

const deliveriesTable = (deliveries: readonly Delivery[], screen: Screen, caption: string): Html =>
  deliveries.length === 0
    ? html`<p class="soft">Nothing was sent to it in the last thirty days.</p>`
    : html`<table><caption>${caption}</caption><thead><tr><th scope="col">When</th><th scope="col">Event</th><th scope="col">Status</th><th scope="col">Attempts</th><th scope="col">Answer</th></tr></thead><tbody>${deliveries.map(
        (delivery) =>
          html`<tr><td>${ago(delivery.createdAt, screen.now)}</td><td><a href="${deliveryPath(delivery)}">${said(delivery.type, 64)}</a></td><td>${deliveryBadge(delivery)}</td><td>${delivery.attempts}</td><td>${answerOf(delivery)}</td></tr>`,
      )}</tbody></table>`;

const answerOf = ({ tries: [last], reason }: Delivery): string => {
  if (last === undefined) return reason === null ? "" : said(reason);
  return `${last.status ?? "none"} in ${Math.round(last.ms)} ms${last.reason === null ? "" : `: ${said(last.reason)}`}`;
};

/** One delivery with each of its newest attempts and what was answered. */
export const deliveryPage = (webhook: Webhook, delivery: Delivery, screen: Screen): Html => {
  const { id, type, event, site, environment, deployment, attempts, nextAt, reason, createdAt, tries } = delivery;
  const facts: [string, Html | string][] = [
    ["Endpoint", html`<a href="${webhookPath(webhook.id)}">${hostOf(webhook)}</a>`],
    ["Id", html`<code>${id}</code>`],
    ["Of the event", html`<code>${said(event, 80)}</code>`],
    [
      "Where",
      html`<a href="${linkTo(pathOf({ site, environment }), screen)}">${site} / ${environment}</a>${deployment === null ? "" : html`, <a href="${deploymentPath(deployment)}">${shortId(deployment)}</a>`}`,
    ],
    ["Made", ago(createdAt, screen.now)],
    ["Attempts", String(attempts)],
    ...(nextAt === null ? [] : [["Next attempt", html`<time datetime="${nextAt}">${nextAt}</time>`] as [string, Html]]),
  ];
  const rows = tries.map(
    ({ attempt, at, status, ms, reason, answer }) =>
      html`<tr><td>${attempt}</td><td>${ago(at, screen.now)}</td><td>${status ?? "no answer"}</td><td>${Math.round(ms)} ms</td><td>${reason === null ? "" : said(reason, 500)}${answer ? html`<pre tabindex="0">${said(answer, 1_100)}</pre>` : ""}</td></tr>`,
  );
  return html`<header class="head"><h1>${said(type, 64)}</h1>${deliveryBadge(delivery)}</header>${reason === null || delivery.status === "delivered" ? "" : html`<p class="reason">${said(reason, 500)}</p>`}<dl>${facts.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>${tries.length === 0 ? html`<p class="soft">No attempt yet.</p>` : html`<table><caption>Attempts, the newest first</caption><thead><tr><th scope="col">Attempt</th><th scope="col">When</th><th scope="col">Answer</th><th scope="col">Took</th><th scope="col">What it said</th></tr></thead><tbody>${rows}</tbody></table>`}${screen.canAct ? html`<p class="row"><a class="button" href="${deliveryPath(delivery)}/redeliver">Send again…</a></p>` : ""}`;
};

export const askToTest = (webhook: Webhook): Asked => ({
  title: `Send a test to ${hostOf(webhook)}`,
  path: `${webhookPath(webhook.id)}/test`,
  back: webhookPath(webhook.id),
  does: html`<p>One signed message of the kind ${webhook.kind} is sent, also where the endpoint is disabled. Nothing happens to any site.</p>`,
  cli: `shiplog webhooks test ${webhook.id}`,
  button: "Send it",
  reason: "none",
});

export const askToEnable = (webhook: Webhook): Asked => ({
  title: `Enable ${hostOf(webhook)}`,
  path: `${webhookPath(webhook.id)}/enable`,
  back: webhookPath(webhook.id),
  does: html`<p>It hears of what happens from now on. What was not sent meanwhile is not sent by this.</p>`,
  cli: `shiplog webhooks enable ${webhook.id}`,
  button: "Enable it",
  reason: "optional",
});

/** `attempts` that were seen: once there are more, the same form sends nothing again. */
export const askToRedeliver = (webhook: Webhook, delivery: Delivery): Asked => ({
  title: `Send ${said(delivery.type, 64)} to ${hostOf(webhook)} again`,
  path: `${deliveryPath(delivery)}/redeliver`,
  back: deliveryPath(delivery),
  does: html`<p>The same message with the same id, once more, also where the endpoint is disabled. It was tried ${delivery.attempts === 1 ? "once" : `${delivery.attempts} times`}${delivery.status === "delivered" ? ", and it arrived: whoever takes it knows by its id that it came before" : ""}.</p>`,
  cli: `shiplog webhooks redeliver ${webhook.id} ${delivery.id}`,
  button: "Send it again",
  fields: { attempts: String(delivery.attempts) },
  reason: "none",
});
