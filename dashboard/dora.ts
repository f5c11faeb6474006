import { html } from "hono/html";
import type { z } from "zod";
import type { Dora } from "../client/contract.ts";
import {
  type CountedDeployment,
  definitions,
  noLeadTimeWords,
  notCountedWords,
  sayFrequency,
  sayLeftOut,
  sayShare,
  type UncountedChange,
} from "../domain/projections/dora-figures.ts";
import { deploymentPath, pathOf } from "./environments.ts";
import { ago, type Html, lasting, said, shortId } from "./words.ts";

export type Figures = z.infer<typeof Dora>;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Rows of one list, the newest: the rest is in the API's answer. */
const LISTED = 100;
/** Up to so many days a bar is a day, else a week. */
const DAYS_AS_BARS = 62;

/** The four figures, each beside what it means, of how many it is made, and what it counted. */
export const figureCards = (
  { deploymentFrequency, leadTime, changeFailureRate, timeToRestore, deployments }: Figures,
  now: number,
): Html => {
  const of = counted(changeFailureRate.sample);
  const failed = deployments.filter(({ rolledBack }) => rolledBack !== null);
  const leftOut = sayLeftOut(leadTime.leftOut);
  const cards: readonly Card[] = [
    {
      name: "Deployment frequency",
      value: sayFrequency(deploymentFrequency.perDay),
      means: definitions.deploymentFrequency,
      sample: of,
      list: deploymentList(deployments, "Went live", ({ at }) => ago(at, now)),
    },
    {
      name: "Lead time for changes",
      value: leadTime.medianMs === null ? null : spanOf(leadTime.medianMs),
      note: leadTime.p90Ms === null ? "" : `median; nine of ten took ${spanOf(leadTime.p90Ms)} at most`,
      means: definitions.leadTime,
      sample: `${leadTime.sample} of ${of}${leftOut === "" ? "" : `; left out: ${leftOut}`}`,
      list: deploymentList(deployments, "Lead time", ({ leadTimeMs, noLeadTime }) =>
        leadTimeMs === null
          ? html`<span class="soft">${noLeadTime === null ? "" : noLeadTimeWords[noLeadTime]}</span>`
          : spanOf(leadTimeMs),
      ),
    },
    {
      name: "Change failure rate",
      value: changeFailureRate.rate === null ? null : sayShare(changeFailureRate.rate),
      means: definitions.changeFailureRate,
      sample: `${failed.length} of ${of}`,
      list: deploymentList(failed, "Rolled back", rolledBack),
    },
    {
      name: "Time to restore",
      value: timeToRestore.medianMs === null ? null : spanOf(timeToRestore.medianMs),
      note: timeToRestore.medianMs === null ? "" : "median",
      means: definitions.timeToRestore,
      sample: `${timeToRestore.sample} ${timeToRestore.sample === 1 ? "rollback" : "rollbacks"}`,
      list: deploymentList(failed, "Restored after", ({ rolledBack }) => (rolledBack === null ? "" : spanOf(rolledBack.ms))),
    },
  ];
  return html`<div class="grid">${cards.map(cardOf)}</div>`;
};

type Card = {
  readonly name: string;
  /** null: there was nothing to make it of */
  readonly value: string | null;
  /** what the value is, where that is not plain */
  readonly note?: string;
  readonly means: string;
  readonly sample: string;
  readonly list: Html | null;
};

const cardOf = ({ name, value, note = "", means, sample, list }: Card): Html =>
  html`<article class="card"><h2>${name}</h2><p class="figure">${value ?? "not known"}</p>${note === "" ? "" : html`<p>${note}</p>`}<p class="soft">${means}</p>${list === null ? html`<p>Sample: ${sample}</p>` : html`<details><summary>Sample: ${sample}</summary>${list}</details>`}</article>`;

const counted = (count: number): string => `${count} ${count === 1 ? "deployment" : "deployments"}`;

/** A length of time in its two largest units: `2 h 5 min`. */
export const spanOf = (ms: number): string => {
  const unit = [DAY, HOUR, MINUTE].find((one) => ms >= one);
  if (unit === undefined || ms % unit < 1_000) return lasting(ms);
  return `${lasting(ms)} ${lasting(ms % unit)}`;
};

/** The event `ReleaseWentLive` of a change, in the log. */
const eventPath = ({
  site,
  environment,
  position,
  event,
}: Pick<CountedDeployment, "site" | "environment" | "position" | "event">): string =>
  `/log?${new URLSearchParams({ site, environment, type: "ReleaseWentLive", since: position })}#${event}`;

const changeCell = (change: CountedDeployment | UncountedChange): Html =>
  html`<a href="${deploymentPath(change.deploymentId)}">#${change.sequence} <span class="sha">${shortId(change.deploymentId)}</span></a> <a href="${eventPath(change)}">event</a>`;
const placeCell = (change: CountedDeployment | UncountedChange): Html =>
  html`<a href="${pathOf(change)}">${change.site} / ${change.environment}</a>`;

const rolledBack = ({ rolledBack }: CountedDeployment): Html | string =>
  rolledBack === null
    ? ""
    : html`by ${said(rolledBack.by, 60)} to <a href="${deploymentPath(rolledBack.deploymentId)}">${shortId(rolledBack.deploymentId)}</a>, <a href="${eventPath(rolledBack)}">event</a>`;

const deploymentList = (
  deployments: readonly CountedDeployment[],
  column: string,
  cell: (deployment: CountedDeployment) => Html | string,
): Html | null =>
  deployments.length === 0
    ? null
    : html`<table><thead><tr><th scope="col">Deployment</th><th scope="col">Environment</th><th scope="col">${column}</th></tr></thead><tbody>${newest(
        deployments,
      ).map(
        (deployment) => html`<tr><td>${changeCell(deployment)}</td><td>${placeCell(deployment)}</td><td>${cell(deployment)}</td></tr>`,
      )}</tbody></table>${more(deployments)}`;

const newest = <T>(changes: readonly T[]): readonly T[] => changes.slice(-LISTED).reverse();
const more = ({ length }: readonly unknown[]): Html | string =>
  length > LISTED ? html`<p class="soft">The newest ${LISTED} of ${length}. All of them: <code>shiplog dora --json</code></p>` : "";

/** What of the period is in no figure, with the reason. */
export const uncountedList = ({ uncounted }: Figures, now: number): Html | string =>
  uncounted.length === 0
    ? ""
    : html`<details class="card"><summary>In no figure: ${uncounted.length} ${uncounted.length === 1 ? "change" : "changes"} of what was live</summary><table><thead><tr><th scope="col">Went live</th><th scope="col">Environment</th><th scope="col">When</th><th scope="col">Why it does not count</th></tr></thead><tbody>${newest(
        uncounted,
      ).map(
        (change) =>
          html`<tr><td>${changeCell(change)}</td><td>${placeCell(change)}</td><td>${ago(change.at, now)}</td><td>${notCountedWords[change.why]}</td></tr>`,
      )}</tbody></table>${more(uncounted)}</details>`;

type Bar = { readonly from: number; readonly went: number; readonly failed: number };

/** Deployments a day (UTC) as bars, or a week where the period is long; those that were rolled back stand out. */
export const deploymentBars = ({ since, until, deployments }: Figures): Html => {
  const first = Math.floor(Date.parse(since) / DAY) * DAY;
  const end = Date.parse(until);
  const isDays = end - first <= DAYS_AS_BARS * DAY;
  const width = isDays ? DAY : 7 * DAY;
  const bars: Bar[] = Array.from({ length: Math.max(1, Math.ceil((end - first) / width)) }, (_, n) => {
    const from = first + n * width;
    const within = deployments.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < from + width);
    return { from, went: within.length, failed: within.filter(({ rolledBack }) => rolledBack !== null).length };
  });
  const most = Math.max(1, ...bars.map(({ went }) => went));
  const rolled = bars.reduce((sum, { failed }) => sum + failed, 0);
  const label = `Deployments a ${isDays ? "day" : "week"}: ${deployments.length} in all, at most ${most} in one; ${rolled} rolled back`;
  return html`<svg class="days" viewBox="0 0 ${bars.length * 10} 40" preserveAspectRatio="none" role="img" aria-label="${label}">${bars.map((bar, n) => barOf(bar, n, most))}</svg><p class="soft">${label}.</p>`;
};

const barOf = ({ from, went, failed }: Bar, n: number, most: number): Html => {
  const height = (count: number): number => (count / most) * 40;
  const rect = (name: string, y: number, count: number): Html | string =>
    count === 0 ? "" : html`<rect class="${name}" x="${n * 10 + 1}" y="${y.toFixed(1)}" width="8" height="${height(count).toFixed(1)}"/>`;
  return html`<g><title>${new Date(from).toISOString().slice(0, 10)}: ${counted(went)}, ${failed} rolled back</title>${rect("kept", 40 - height(went), went - failed)}${rect("failed", 40 - height(failed), failed)}</g>`;
};
