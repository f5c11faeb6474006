import { html } from "hono/html";
import type { z } from "zod";
import type { HistoryEntry, OneEnvironment } from "../client/contract.ts";
import { clipped } from "../domain/kernel/text.ts";
import { type DeploymentView, isEnd } from "../domain/projections/views.ts";
import { linkTo, type Screen } from "./layout.ts";
import { ago, badge, type Html, lasting, said, shortId, statusBadge, subject } from "./words.ts";

export type Environment = z.infer<typeof OneEnvironment>["environment"];
export type Change = z.infer<typeof HistoryEntry>;

/** What is shown of an environment: itself, its live deployment, and its newest, the newest first. */
export type Glance = {
  readonly environment: Environment;
  readonly live: DeploymentView | undefined;
  readonly recent: readonly DeploymentView[];
};

export const pathOf = ({ site, environment }: Pick<Environment, "site" | "environment">): string =>
  `/environments/${encodeURIComponent(site)}/${encodeURIComponent(environment)}`;
export const deploymentPath = (id: string): string => `/deployments/${encodeURIComponent(id)}`;
/** Where two releases are compared: from what, to what. */
export const comparePath = (from: string, to: string): string => `/compare?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;

export const VERBS = { deploy: "deployed", rollback: "rolled back", promote: "promoted", restore: "put back" } as const;

/** What is live, what is on its way, what is in the way, and what one can do. */
export const environmentCard = ({ environment, live, recent }: Glance, screen: Screen, heading: "h1" | "h2"): Html => {
  const name = `${environment.site} / ${environment.environment}`;
  const link = html`<a href="${linkTo(pathOf(environment), screen)}">${name}</a>`;
  return html`<article class="card" id="${environment.site}--${environment.environment}"><header>${heading === "h1" ? html`<h1>${name}</h1>` : html`<h2>${link}</h2>`}${badges(environment)}<a class="end soft" href="${environment.url}" rel="noreferrer">${environment.url.replace(/^https?:\/\//, "")}</a></header>
${liveLine(environment, live, screen)}${warningLines(environment)}${underWay(environment, recent, screen)}${lastFailure(environment, recent, screen)}${screen.canAct ? actions(environment) : ""}</article>`;
};

const badges = ({ live, flipping, waiting, pin, lock, drifts }: Environment): Html =>
  html`${[
    live === null ? badge("gone", "nothing live") : badge("live", `live #${live.sequence}`),
    flipping === null ? "" : badge("moving", `going to #${flipping.sequence}`),
    waiting === null ? "" : badge("held", `held #${waiting.sequence}`),
    pin === null ? "" : badge("held", "pinned"),
    lock === null ? "" : badge("held", "locked"),
    drifts.length === 0 ? "" : badge("failed", "drift"),
  ]}`;

const liveLine = ({ live, routes }: Environment, deployment: DeploymentView | undefined, screen: Screen): Html => {
  if (live === null) return html`<p class="release soft">Nothing is live. Deploy: <code>shiplog deploy &lt;dir&gt;</code></p>`;
  const commit = deployment?.commit;
  const why = live.reason === "deploy" ? deployment?.why : live.why;
  const address = routes.find(({ until }) => until === null);
  return html`<div class="release"><a class="what" href="${linkTo(deploymentPath(live.deploymentId), screen)}">${deployment === undefined ? shortId(live.deploymentId) : subject(deployment)}</a><span class="soft">${commit ? html`<span class="sha">${commit.sha.slice(0, 7)}</span>${commit.branch ? ` on ${said(commit.branch, 60)}` : ""} · ` : ""}${VERBS[live.reason]} by ${said(live.actor, 60)} ${ago(live.at, screen.now)}${why ? html` · “${said(why)}”` : ""}${address === undefined ? "" : html` · at <span class="sha">r-${address.address}</span>`}</span></div>`;
};

const warningLines = ({ pin, lock, drifts, warnings }: Environment): Html =>
  html`${[
    pin === null ? "" : html`<p class="row">${badge("held", "pinned")} by ${said(pin.actor, 60)}: ${said(pin.reason)}</p>`,
    lock === null
      ? ""
      : html`<p class="row">${badge("held", "locked")} by ${said(lock.holder, 60)}: ${said(lock.reason)}${lock.until === null ? "" : ` until ${lock.until}`}</p>`,
    drifts.map((drift) => html`<p class="row">${badge("failed", "drift")} ${said(drift.function, 80)}: ${said(drift.says)}</p>`),
    warnings.map((warning) => html`<p class="row soft">${said(warning)}</p>`),
  ]}`;

const underWay = ({ waiting }: Environment, recent: readonly DeploymentView[], screen: Screen): Html =>
  html`${recent
    .filter(({ status }) => !isEnd(status))
    .map(
      (deployment) =>
        html`<p class="row">${statusBadge(deployment)} <a href="${linkTo(deploymentPath(deployment.id), screen)}">#${deployment.sequence} ${subject(deployment)}</a> <span class="soft">${deployment.reason ? said(deployment.reason) : html`since ${ago(deployment.since, screen.now)}`}${deployment.id === waiting?.deploymentId ? ` · waits for the ${waiting.by}` : ""}</span></p>`,
    )}`;

/** The newest that failed since what is live was asked for. */
const lastFailure = ({ live }: Environment, recent: readonly DeploymentView[], screen: Screen): Html | string => {
  const failed = recent.find(({ status, sequence }) => status === "failed" && sequence > (live?.sequence ?? 0));
  if (failed === undefined) return "";
  return html`<p class="row">${badge("failed", `#${failed.sequence} failed`)} <span>${said(failed.reason ?? "")}</span> <a href="${linkTo(deploymentPath(failed.id), screen)}">See why</a></p>`;
};

const actions = (environment: Environment): Html => {
  const { live, history, pin, lock } = environment;
  const link = (verb: string, words: string): Html => html`<a class="button" href="${pathOf(environment)}/${verb}">${words}</a>`;
  return html`<p class="row">${live !== null && history.length > 0 ? link("rollback", "Roll back…") : ""}${pin === null ? link("pin", "Pin…") : link("unpin", "Unpin…")}${lock === null ? link("lock", "Lock…") : link("unlock", "Unlock…")}</p>`;
};

/** A line an environment: where there are too many for cards. */
export const environmentsTable = (glances: readonly Glance[], screen: Screen): Html =>
  html`<table class="dense"><thead><tr><th scope="col">Environment</th><th scope="col">Status</th><th scope="col">Release</th><th scope="col">Since</th></tr></thead><tbody>${glances.map(
    ({ environment, live, recent }) =>
      html`<tr><td><a href="${linkTo(pathOf(environment), screen)}">${environment.site} / ${environment.environment}</a></td><td>${badges(environment)}${movingBadge(recent)}${failedBadge(environment, recent)}</td><td>${live === undefined ? "" : html`<a href="${linkTo(deploymentPath(live.id), screen)}">${clipped(subject(live), 60)}</a>`}</td><td>${environment.live === null ? "" : ago(environment.live.at, screen.now)}</td></tr>`,
  )}</tbody></table>`;

const movingBadge = (recent: readonly DeploymentView[]): Html | string => {
  const newest = recent.find(({ status }) => !isEnd(status) && status !== "held");
  return newest === undefined ? "" : badge("moving", `#${newest.sequence} ${newest.status}`);
};
const failedBadge = ({ live }: Environment, recent: readonly DeploymentView[]): Html | string => {
  const failed = recent.find(({ status, sequence }) => status === "failed" && sequence > (live?.sequence ?? 0));
  return failed === undefined ? "" : badge("failed", `#${failed.sequence} failed`);
};

/** What was live, as a picture: one band a release, as wide as it lasted, and a mark for each deployment that failed meanwhile. */
export const timeline = (changes: readonly Change[], recent: readonly DeploymentView[]): Html | string => {
  const total = changes.reduce((sum, { ms }) => sum + ms, 0) || 1;
  if (changes.length === 0) return "";
  const failed = recent.filter(({ status }) => status === "failed");
  let left = 0;
  const bands = changes.toReversed().map(({ ms, how, deploymentId, since }) => {
    const width = Math.max(2, (ms / total) * 1_000 - 3);
    const begins = Date.parse(since);
    const marks = failed.flatMap(({ endedAt, sequence }) => {
      const after = Date.parse(endedAt ?? "") - begins;
      if (!(after >= 0 && after < ms)) return [];
      return [
        html`<rect class="failed" x="${(left + (after / ms) * width).toFixed(1)}" y="0" width="3" height="18"><title>#${sequence} failed</title></rect>`,
      ];
    });
    const band = html`<rect class="${how}" x="${left.toFixed(1)}" y="2" width="${width.toFixed(1)}" height="14" rx="3"><title>${shortId(deploymentId)}, for ${lasting(ms)}</title></rect>${marks}`;
    left += width + 3;
    return band;
  });
  const said = `What was live in the last ${lasting(total)}: ${changes.length} changes${failed.length === 0 ? "" : `; ${failed.length} deployments failed`}`;
  return html`<svg class="bands" viewBox="0 0 ${Math.max(1_000, left).toFixed(0)} 18" preserveAspectRatio="none" role="img" aria-label="${said}">${bands}</svg>`;
};

export const changesTable = (changes: readonly Change[], screen: Screen): Html =>
  html`<table><caption>What was live</caption><thead><tr><th scope="col">Release</th><th scope="col">How</th><th scope="col">By</th><th scope="col">Since</th><th scope="col">For</th><th scope="col">Compare</th></tr></thead><tbody>${changes.map(
    ({ deploymentId, sequence, previous, how, by, why, since, ms }) =>
      html`<tr><td><a href="${linkTo(deploymentPath(deploymentId), screen)}">#${sequence} <span class="sha">${shortId(deploymentId)}</span></a></td><td>${VERBS[how]}${why ? html`<br><span class="soft">“${said(why)}”</span>` : ""}</td><td>${said(by, 60)}</td><td>${ago(since, screen.now)}</td><td>${lasting(ms)}</td><td>${previous === null || previous === deploymentId ? "" : html`<a href="${comparePath(previous, deploymentId)}">With what was live before</a>`}</td></tr>`,
  )}</tbody></table>`;
