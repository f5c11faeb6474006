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

/** Logs that are kept between two looks at them: what was said is not said otherwise later. */
const KEPT = 8;
type Kept = { readonly lines: string[]; next: string | undefined; ended: boolean };

/**
 * Reads what builds have said until now, going on from where the look before ended; `undefined` where there is nothing of
 * it: a build's log may be gone while its deployment is not. Who asks has been let see the deployment.
 */
export const openBuildLogs = () => {
  const kept = new Map<string, Kept>();
  /** One that is looked at is the last to be forgotten. */
  const logOf = (id: string): Kept => {
    const log = kept.get(id) ?? { lines: [], next: undefined, ended: false };
    kept.delete(id);
    kept.set(id, log);
    for (const old of [...kept.keys()].slice(0, -KEPT)) kept.delete(old);
    return log;
  };

  return async (client: Client, { id, buildId }: DeploymentView): Promise<BuildLog | undefined> => {
    if (buildId === null) return undefined;
    const log = logOf(id);
    for (let pages = 0; pages < PAGES && !log.ended; pages++) {
      const answer = await client.logs(id, log.next);
      if (!answer.ok) {
        // what marks the place may be old: the next look begins anew
        kept.delete(id);
        return log.lines.length === 0 ? undefined : { lines: log.lines, cut: true, grows: false };
      }
      const { lines, next, done } = answer.value;
      const isSame = next === log.next && lines.length === 0;
      log.lines.push(...lines.map(({ message }) => message));
      log.next = next ?? undefined;
      log.ended = done;
      if (done || next === null || isSame) return { lines: log.lines, cut: false, grows: !done };
    }
    return { lines: log.lines, cut: !log.ended, grows: false };
  };
};

/** Bytes of one answer on AWS, which holds 6 MB with what comes around it. */
const MOST_BYTES = 4_000_000;
/** All of a log as text, or as much of it as fits into an answer; that it is cut stands at its end. */
export const logText = ({ lines, cut }: BuildLog): string => {
  const fitting: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    bytes += new TextEncoder().encode(line).length + 1;
    if (bytes > MOST_BYTES) break;
    fitting.push(line);
  }
  return `${[...fitting, ...(cut || fitting.length < lines.length ? ["… and there is more: shiplog logs has it"] : [])].join("\n")}\n`;
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
