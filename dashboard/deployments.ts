import { html } from "hono/html";
import type { z } from "zod";
import type { EventView, Progress } from "../client/contract.ts";
import { jsonText } from "../domain/kernel/text.ts";
import { type DeploymentView, isEnd } from "../domain/projections/views.ts";
import { causesOf, effectsIn } from "./causes.ts";
import { comparePath, deploymentPath, pathOf } from "./environments.ts";
import { linkTo, momentOf, type Screen } from "./layout.ts";
import { ago, copy, type Html, lasting, said, shortId, statusBadge, subject } from "./words.ts";

type Event = z.infer<typeof EventView>;

/** One row a deployment, the newest first. */
export const deploymentsTable = (deployments: readonly DeploymentView[], screen: Screen, caption: string): Html =>
  deployments.length === 0
    ? html`<p class="soft">No deployment yet. Make one: <code>shiplog deploy &lt;dir&gt;</code></p>`
    : html`<table><caption>${caption}</caption><thead><tr><th scope="col">Deployment</th><th scope="col">Status</th><th scope="col">Environment</th><th scope="col">By</th><th scope="col">Asked for</th></tr></thead><tbody>${deployments.map(
        (deployment) =>
          html`<tr><td><a href="${linkTo(deploymentPath(deployment.id), screen)}">#${deployment.sequence} ${subject(deployment)}</a></td><td>${statusBadge(deployment)}</td><td><a href="${linkTo(pathOf(deployment), screen)}">${deployment.site} / ${deployment.environment}</a></td><td>${said(deployment.actor, 60)}</td><td>${ago(deployment.queuedAt, screen.now)}</td></tr>`,
      )}</tbody></table>`;

type Shown = {
  readonly deployment: DeploymentView;
  readonly progress: z.infer<typeof Progress> | null;
  /** what is live in its environment, and the deployment before this one; by their ids */
  readonly live: string | undefined;
  readonly before: string | undefined;
  readonly screen: Screen;
};

export const deploymentHead = ({ deployment, progress, live, before, screen }: Shown): Html => {
  const { commit, reason, why, retryOf } = deployment;
  const isLive = live === deployment.id;
  const facts: [string, Html | string][] = [
    ["Environment", html`<a href="${linkTo(pathOf(deployment), screen)}">${deployment.site} / ${deployment.environment}</a>`],
    ["Asked for", html`${ago(deployment.queuedAt, screen.now)} by ${said(deployment.actor, 80)}${why ? html`: “${said(why)}”` : ""}`],
    ["Id", html`<code>${deployment.id}</code> ${copy(deployment.id, "the id")}`],
  ];
  if (commit)
    facts.push([
      "Commit",
      html`<code>${commit.sha}</code> ${copy(commit.sha, "the commit")}${commit.branch ? ` on ${said(commit.branch, 80)}` : ""}${commit.author ? ` by ${said(commit.author, 80)}` : ""}${commit.dirty ? ", with changes that were not committed" : ""}`,
    ]);
  if (retryOf !== null) facts.push(["Retry of", html`<a href="${linkTo(deploymentPath(retryOf), screen)}">${shortId(retryOf)}</a>`]);
  return html`<header class="head"><h1>#${deployment.sequence} ${subject(deployment)}</h1>${statusBadge(deployment)}${isLive ? html`<span class="soft">is live</span>` : ""}</header>
${reason ? html`<p class="reason">${said(reason, 2_000)}</p>` : ""}${progress === null ? "" : html`<p class="soft">${said(progress.step, 40)}: ${progress.done} of ${progress.total}</p>`}
<dl>${facts.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>${stepBars(deployment, momentOf(screen.at ?? "") ?? screen.now)}${screen.at === undefined ? deploymentActions(deployment, { live, before, canAct: screen.canAct }) : ""}`;
};

type Around = { readonly live: string | undefined; readonly before: string | undefined; readonly canAct: boolean };

/** What can be done with it, and what it can be compared with. `live`, `before`: ids of releases. */
const deploymentActions = ({ id, status }: DeploymentView, { live, before, canAct }: Around): Html | string => {
  const verb = (name: string, words: string): Html => html`<a class="button" href="${deploymentPath(id)}/${name}">${words}</a>`;
  const verbs = [
    ...(isEnd(status) ? [] : [verb("cancel", "Cancel…")]),
    ...(status === "failed" || status === "cancelled" || status === "superseded" ? [verb("retry", "Retry…")] : []),
    ...(status === "success" && live !== id ? [verb("rollback", "Roll back to this…")] : []),
  ];
  const links = [
    ...(canAct ? verbs : []),
    ...(live === undefined || live === id ? [] : [html`<a href="${comparePath(live, id)}">Compare with what is live</a>`]),
    ...(before === undefined ? [] : [html`<a href="${comparePath(before, id)}">Compare with the one before</a>`]),
  ];
  return links.length === 0 ? "" : html`<p class="row">${links}</p>`;
};

/** How long it waited, was built and was brought live: a bar each, on one scale. */
const stepBars = ({ queuedAt, buildStartedAt, builtAt, endedAt, status }: DeploymentView, now: number): Html => {
  const end = endedAt === null ? now : Date.parse(endedAt);
  const steps: [string, string | null, string | null][] = [
    ["waited", queuedAt, buildStartedAt ?? builtAt],
    ["built", buildStartedAt, builtAt],
    ["published and flipped", builtAt, null],
  ];
  const total = Math.max(1, end - Date.parse(queuedAt));
  const rows = steps.flatMap(([name, from, to]) => {
    if (from === null) return [];
    const began = Date.parse(from) - Date.parse(queuedAt);
    const ms = Math.max(0, (to === null ? end : Date.parse(to)) - Date.parse(from));
    const tone = status === "failed" && to === null ? "failed" : "done";
    return [
      html`<tr><th scope="row">${name}</th><td>${ms < 1_000 ? `${ms} ms` : lasting(ms)}</td><td class="bar"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="${tone}" x="${((began / total) * 100).toFixed(2)}" y="0" width="${Math.max(0.5, (ms / total) * 100).toFixed(2)}" height="8" rx="1"/></svg></td></tr>`,
    ];
  });
  return html`<table><caption>Steps</caption><tbody>${rows}</tbody></table>`;
};

/** The events as they stand in the log, with their bodies, and from each to what caused it and what it led to. */
export const eventsTable = (events: readonly Event[], screen: Screen, caption: string): Html => {
  if (events.length === 0) return html`<p class="soft">No event here.</p>`;
  const effects = effectsIn(events);
  const onPage = new Set(events.map(({ id }) => id));
  return html`<table><caption>${caption}</caption><thead><tr><th scope="col">When</th><th scope="col">Event</th><th scope="col">Stream</th><th scope="col">By</th></tr></thead><tbody>${events.map(
    (event) =>
      html`<tr id="${event.id}"><td>${ago(event.at, screen.now)}</td><td><details><summary>${event.type}</summary><pre>${jsonText(event.body, 2)}</pre>${causesOf(event, effects, onPage)}</details></td><td>${streamLink(event.stream, screen)}</td><td>${said(event.actor, 60)}</td></tr>`,
  )}</tbody></table>`;
};

/** To the page of what a stream is about, where there is one. */
export const streamLink = (stream: string, screen: Screen): Html | string => {
  const [kind, ...rest] = stream.split("/");
  if (kind === "deployment") return html`<a href="${linkTo(deploymentPath(rest.join("/")), screen)}">${shortId(rest.join("/"))}</a>`;
  const [site = "", environment = ""] = rest;
  if (kind === "environment") return html`<a href="${linkTo(pathOf({ site, environment }), screen)}">${site} / ${environment}</a>`;
  if (kind === "webhook") return html`<a href="/webhooks/${encodeURIComponent(site)}">${shortId(site)}</a>`;
  return said(stream, 80);
};
