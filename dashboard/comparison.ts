import { html } from "hono/html";
import type { z } from "zod";
import type { OneComparison } from "../client/contract.ts";
import { showBytes } from "../domain/wording.ts";
import { comparePath, deploymentPath, pathOf, VERBS } from "./environments.ts";
import { linkTo, type Screen } from "./layout.ts";
import { ago, badge, command, type Html, said, shortId, statusBadge } from "./words.ts";

type Comparison = z.infer<typeof OneComparison>["comparison"];
type Release = Comparison["from"];
type Fn = NonNullable<Comparison["functions"]>[number];
type Difference = Fn["code"];

const TONES = { added: "live", removed: "failed", changed: "held", same: "gone", unknown: "gone" } as const;
const difference = (is: Difference | null): Html | string => (is === null ? "" : badge(TONES[is], is === "unknown" ? "not known" : is));

/** Two releases side by side. */
export const comparison = (found: Comparison, screen: Screen): Html => {
  const { from, to, functions } = found;
  const swapped = comparePath(to.deploymentId, from.deploymentId);
  return html`<header class="head"><h1>#${from.sequence} and #${to.sequence} of ${from.site}</h1><a href="${swapped}">The other way round</a></header>
<div class="grid">${releaseCard("From", from, screen)}${releaseCard("To", to, screen)}</div>${orderOf(found)}${commitsOf(found, screen)}
<section aria-labelledby="functions"><h2 id="functions">Functions</h2>${functions === null ? html`<p class="soft">Not compared: ${unfinished(found)} never became a release.</p>` : functionsTable(functions)}</section>
<section aria-labelledby="variables"><h2 id="variables">Variables</h2>${variablesOf(found)}</section>
<section aria-labelledby="files"><h2 id="files">Public files</h2>${filesOf(found)}</section>
<p class="soft">The same from a terminal: ${command(`shiplog compare ${from.deploymentId} ${to.deploymentId}`)}</p>`;
};

const unfinished = ({ from, to }: Comparison): string =>
  [from, to]
    .filter(({ isRelease }) => !isRelease)
    .map(({ sequence }) => `#${sequence}`)
    .join(" and ");

const releaseCard = (side: string, release: Release, screen: Screen): Html => {
  const { deploymentId, sequence, commit, actor, queuedAt, why, live } = release;
  const spans = live.map(
    ({ since, until, how, by, why }) =>
      html`<li>${VERBS[how]} by ${said(by, 60)} ${ago(since, screen.now)}${until === null ? ", live now" : html`, until ${ago(until, screen.now)}`}${why ? html`: “${said(why)}”` : ""}</li>`,
  );
  return html`<section class="card" aria-label="${side}"><header><h2>${side} <a href="${deploymentPath(deploymentId)}">#${sequence} ${shortId(deploymentId)}</a></h2>${statusBadge(release)}</header><dl><dt>Environment</dt><dd><a href="${linkTo(pathOf(release), screen)}">${release.site} / ${release.environment}</a></dd><dt>Commit</dt><dd>${commit === null ? "not known" : html`<span class="sha">${commit.sha.slice(0, 7)}</span> ${said(commit.message?.split("\n")[0] ?? "", 120)}${commit.author ? ` by ${said(commit.author, 80)}` : ""}`}</dd><dt>Asked for</dt><dd>${ago(queuedAt, screen.now)} by ${said(actor, 80)}${why ? html`: “${said(why)}”` : ""}</dd><dt>Live</dt><dd>${live.length === 0 ? "never" : html`<ul class="plain">${spans}</ul>`}</dd></dl></section>`;
};

const orderOf = ({ newer, isWhole }: Comparison): Html =>
  html`${newer === "from" ? html`<p class="soft">“To” was asked for before “From”: what is between them is what going there takes back.</p>` : ""}${isWhole ? "" : html`<p class="reason">They lie too far apart: not all commits and times between them were looked for.</p>`}`;

const commitsOf = ({ commits }: Comparison, screen: Screen): Html => {
  if (commits === null)
    return html`<section aria-labelledby="commits"><h2 id="commits">Commits</h2><p class="soft">Of two environments: their deployments have no common order, so nothing lies between them.</p></section>`;
  const rows = commits.map(
    ({ deploymentId, sequence, commit }) =>
      html`<tr><td><a href="${linkTo(deploymentPath(deploymentId), screen)}">#${sequence}</a></td><td>${commit === null ? "" : html`<span class="sha">${commit.sha.slice(0, 7)}</span>`}</td><td>${commit === null ? html`<span class="soft">no commit is known of it</span>` : said(commit.message?.split("\n")[0] ?? "", 160)}</td><td>${said(commit?.author ?? "", 80)}</td></tr>`,
  );
  return html`<section aria-labelledby="commits"><h2 id="commits">Commits</h2><p class="soft">Those that were deployed to the environment between the two. The engine has no git: a commit that was never deployed by itself is not among them.</p>${commits.length === 0 ? html`<p>None.</p>` : html`<table><caption>${commits.length === 1 ? "One deployment" : `${commits.length} deployments`} with a commit of its own, the newest first</caption><thead><tr><th scope="col">Deployment</th><th scope="col">Commit</th><th scope="col">Subject</th><th scope="col">Author</th></tr></thead><tbody>${rows}</tbody></table>`}</section>`;
};

const functionsTable = (functions: readonly Fn[]): Html =>
  html`<table><caption>Code by its digest; settings as Lambda has them now of each version</caption><thead><tr><th scope="col">Function</th><th scope="col">Code</th><th scope="col">Size</th><th scope="col">Version</th><th scope="col">Settings</th></tr></thead><tbody>${functions.map(
    (one) =>
      html`<tr><th scope="row">${one.role}</th><td>${difference(one.code)}</td><td>${sizeOf(one)}</td><td>${one.from?.version ?? "none"} to ${one.to?.version ?? "none"}</td><td>${settingsOf(one)}</td></tr>`,
  )}</tbody></table>`;

const sizeOf = ({ from, to }: Fn): string => {
  const [before, after] = [from?.facts?.bytes, to?.facts?.bytes];
  if (before === undefined || after === undefined)
    return before === undefined && after === undefined ? "not known" : showBytes(before ?? after ?? 0);
  const more = after - before;
  return `${showBytes(after)}${more === 0 ? ", the same" : ` (${more > 0 ? "+" : "−"}${showBytes(Math.abs(more))})`}`;
};

const SETTINGS = [
  ["memory", "memoryMb", " MB"],
  ["timeout", "timeoutSeconds", " s"],
  ["architecture", "architecture", ""],
  ["runtime", "runtime", ""],
] as const;

const settingsOf = ({ from, to }: Fn): Html | string => {
  if (from === null || to === null) return "";
  if (from.facts === null || to.facts === null)
    return from.settings === to.settings ? "the same" : "differ; a version is gone, so not known in what";
  const [was, is] = [from.facts, to.facts];
  const changed = SETTINGS.filter(([, key]) => was[key] !== is[key]).map(
    ([name, key, unit]) => `${name} ${was[key]}${unit} to ${is[key]}${unit}`,
  );
  if (changed.length > 0) return changed.join(", ");
  if (from.settings === to.settings) return "the same";
  // the digest covers the variables too, and what the engine itself gives
  return "the same size and runtime; variables, or what the engine gives it, differ";
};

const variablesOf = ({ variables, from, to }: Comparison): Html => {
  if (variables.length === 0) return html`<p class="soft">The log names none of either.</p>`;
  const differing = variables.filter(({ build, functions }) => [build, functions].some((is) => is !== null && is !== "same"));
  const same = variables.length - differing.length;
  const rest = same === 0 ? "" : html`<p class="soft">${same === 1 ? "One is" : `${same} are`} the same.</p>`;
  if (differing.length === 0) return html`<p>No variable differs.</p>${rest}`;
  return html`<table><caption>By name; values are never shown</caption><thead><tr><th scope="col">Variable</th><th scope="col">For the build</th><th scope="col">For the functions</th></tr></thead><tbody>${differing.map(
    ({ name, build, functions }) =>
      html`<tr><th scope="row"><code>${said(name)}</code></th><td>${difference(build)}</td><td>${difference(functions)}</td></tr>`,
  )}</tbody></table>${rest}${from.environment === to.environment ? "" : html`<p class="soft">Values of two environments cannot be held against each other: each has a key of its own.</p>`}`;
};

const filesOf = ({ publicFiles, from, to }: Comparison): Html => {
  if (publicFiles !== null) {
    const { added, removed, changed, same } = publicFiles;
    return html`${pathList("added", added)}${pathList("changed", changed)}${pathList("removed", removed)}<p class="soft">${same} ${same === 1 ? "is" : "are"} the same.</p>`;
  }
  const known = ({ sequence, files }: Release): Html =>
    html`<li>#${sequence}: ${files === null ? "nothing is known" : `${files.uploaded} files put (${showBytes(files.bytes)}), ${files.unchanged} there already`}</li>`;
  return html`<p class="soft">The list of one of them is gone, so their files are not compared. What the log has of all files:</p><ul>${known(from)}${known(to)}</ul>`;
};

const pathList = (is: "added" | "changed" | "removed", { count, paths }: { count: number; paths: readonly string[] }): Html | string =>
  count === 0
    ? ""
    : html`<details><summary>${badge(TONES[is], `${count} ${is}`)}</summary><ul>${paths.map((path) => html`<li><code>${said(path)}</code></li>`)}</ul>${count > paths.length ? html`<p class="soft">And ${count - paths.length} more.</p>` : ""}</details>`;
