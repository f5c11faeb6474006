import { html } from "hono/html";
import type { z } from "zod";
import type { AuditPage, NewestSeal } from "../client/contract.ts";
import type { Result } from "../client/http.ts";
import { jsonText } from "../domain/kernel/text.ts";
import { streamLink } from "./deployments.ts";
import { deploymentPath, pathOf } from "./environments.ts";
import { linkTo, type Screen } from "./layout.ts";
import { ago, command, type Html, said, shortId } from "./words.ts";

export type TrailRow = z.infer<typeof AuditPage>["rows"][number];

/** The trail as a table: when, who, what, where, and from where it was asked for; each row with its event's body. */
export const trailTable = (rows: readonly TrailRow[], screen: Screen, caption: string): Html =>
  html`<table><caption>${caption}</caption><thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">Where</th><th scope="col">Origin</th></tr></thead><tbody>${rows.map(
    (row) =>
      html`<tr id="${row.id}"><td>${ago(row.at, screen.now)}</td><td>${said(row.actor, 80)}</td><td>${whatOf(row)}</td><td>${whereOf(row, screen)}</td><td class="from">${row.credential === null ? html`<span class="soft">the engine</span>` : html`${said(row.credential, 120)}${row.address === null ? "" : html`<br><span class="soft">${said(row.address, 60)}</span>`}`}</td></tr>`,
  )}</tbody></table>`;

const whatOf = ({ type, why, change, body, cause, correlation, stream, version, trigger }: TrailRow): Html => {
  const changed =
    change === null ? "" : html`<p>${change.of}: ${said(change.before ?? "nothing", 80)} to ${said(change.after ?? "nothing", 80)}</p>`;
  const facts = [
    `${stream} version ${version}`,
    ...(trigger === null ? [] : [`trigger: ${trigger}`]),
    `cause: ${cause}`,
    `story: ${correlation}`,
  ];
  return html`<details><summary>${said(type, 64)}</summary><pre tabindex="0">${jsonText(body ?? {}, 2)}</pre>${facts.map((fact) => html`<p class="soft">${said(fact)}</p>`)}</details>${why ? html`<p class="soft">“${said(why)}”</p>` : ""}${changed}`;
};

const whereOf = ({ site, environment, deployment, stream }: TrailRow, screen: Screen): Html => {
  const place =
    site === null || environment === null
      ? streamLink(stream, screen)
      : html`<a href="${linkTo(pathOf({ site, environment }), screen)}">${site} / ${environment}</a>`;
  return html`${place}${deployment === null ? "" : html`<br><a href="${linkTo(deploymentPath(deployment), screen)}">${shortId(deployment)}</a>`}`;
};

/** How far the log is sealed, and what of all this was checked: never more than that. */
export const sealState = (found: Result<z.infer<typeof NewestSeal>>, screen: Screen): Html =>
  html`<section aria-labelledby="seals" class="card"><h2 id="seals">Seals</h2>${sealsOf(found, screen)}<p class="soft">Checked when this page was read: each commit shown is what its own hash says. Not checked here: whether commits are missing, whether the chains of hashes are whole, and what the seals and their signatures say. That takes ${command("shiplog audit verify")}</p></section>`;

const sealsOf = (found: Result<z.infer<typeof NewestSeal>>, screen: Screen): Html => {
  if (!found.ok)
    return html`<p role="alert" class="reason">${found.failure.kind === "refused" ? said(found.failure.message, 500) : "How far the log is sealed cannot be asked now."}</p>`;
  const { newest, unsealed } = found.value;
  if (newest === null) return html`<p>Nothing is sealed yet. Seal it: <code>shiplog audit seal</code></p>`;
  const rest =
    unsealed === null
      ? "What is in no seal is not known."
      : unsealed.commits === 0
        ? "Nothing that was found is without a seal."
        : html`In no seal: ${unsealed.commits} ${unsealed.commits === 1 ? "commit" : "commits"}${unsealed.since === null ? "" : html`, the oldest from ${ago(unsealed.since, screen.now)}`}. <code>shiplog audit seal</code>`;
  return html`<p>${newest.number} ${newest.number === 1 ? "seal" : "seals"}. The newest was made ${ago(newest.sealedAt, screen.now)} and holds ${newest.count} ${newest.count === 1 ? "commit" : "commits"}${newest.last === null ? "" : html`, up to ${ago(momentOf(newest.last), screen.now)}`}.</p><p>${rest}</p>`;
};

/** A position of the log is a time in milliseconds, or a little more where the log was busy. */
const momentOf = (position: string): string => new Date(Number(position)).toISOString();
