import { html } from "hono/html";
import type { Client } from "../client/client.ts";
import { findBuildError } from "../domain/build-error/find-build-error.ts";
import type { DeploymentView } from "../domain/projections/views.ts";
import { deploymentPath } from "./environments.ts";
import { type Html, said } from "./words.ts";

/** Pages of a log that are read: 100,000 lines at the engine's usual length of a page. */
const PAGES = 100;
/** Lines on the page: the last of them, or those that are found. */
const SHOWN = 500;

export type BuildLog = {
  readonly lines: readonly string[];
  /** it is longer than what is read of a log */
  readonly cut: boolean;
  /** something may still be added */
  readonly grows: boolean;
};

/** What a build has said until now; `undefined` where there is nothing of it: its log may be gone while the deployment is not. */
export const readBuildLog = async (client: Client, { id, buildId }: DeploymentView): Promise<BuildLog | undefined> => {
  if (buildId === null) return undefined;
  const lines: string[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < PAGES; pages++) {
    const answer = await client.logs(id, next);
    if (!answer.ok) return lines.length === 0 ? undefined : { lines, cut: true, grows: false };
    const { lines: more, next: on, done } = answer.value;
    lines.push(...more.map(({ message }) => message));
    if (done || on === null || (more.length === 0 && on === next)) return { lines, cut: false, grows: !done };
    next = on;
  }
  return { lines, cut: true, grows: false };
};

type Shown = { readonly deployment: DeploymentView; readonly log: BuildLog /** what is looked for; "": nothing */; readonly find: string };

/** A build's log: why it failed, its end or what is found in it, and the way to all of it. */
export const buildLog = ({ deployment, log, find }: Shown): Html => {
  const { lines, cut, grows } = log;
  const path = deploymentPath(deployment.id);
  const numbered = lines.map((line, n) => ({ line, n }));
  const found = find === "" ? numbered : numbered.filter(({ line }) => line.toLowerCase().includes(find.toLowerCase()));
  const shown = find === "" ? found.slice(-SHOWN) : found.slice(0, SHOWN);
  const follows = grows && find === "";
  const says =
    find !== ""
      ? `${found.length} of ${lines.length} lines have it${found.length > SHOWN ? `; the first ${SHOWN}` : ""}`
      : lines.length > SHOWN
        ? `The last ${SHOWN} of ${lines.length} lines`
        : `${lines.length} lines`;
  return html`<section aria-labelledby="log"><h2 id="log">Build log</h2>${deployment.status === "failed" ? firstError(lines) : ""}<form class="find" method="get" action="${path}#log" role="search"><label for="find">Find in it</label><input id="find" name="find" type="search" value="${find}"><button>Find</button><a href="${path}/log.txt" download>All of it as text</a><span class="soft">${says}${cut ? ", and there is more" : ""}</span></form><pre class="log" tabindex="0" aria-label="Build log"${follows ? html` data-follow` : ""}>${shown.map(({ line, n }) => html`<span class="number" aria-hidden="true">${n + 1}</span>${said(line, 4_000)}\n`)}</pre></section>`;
};

/** The first real error, with what stands around it. */
const firstError = (lines: readonly string[]): Html | string => {
  const error = findBuildError(lines);
  if (error === undefined) return "";
  const { summary, context, marked, canRetryHelp } = error;
  return html`<div class="reason"><p><strong>First error:</strong> ${said(summary, 400)}${canRetryHelp ? html` <span class="soft">The same source may build another time.</span>` : ""}</p><pre class="log" tabindex="0" aria-label="The first error">${context.map((line, n) => (n === marked ? html`<mark>${said(line, 4_000)}</mark>` : html`${said(line, 4_000)}\n`))}</pre></div>`;
};
