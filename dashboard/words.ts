import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { clipped, printable } from "../domain/kernel/text.ts";
import type { DeploymentView } from "../domain/projections/views.ts";

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** Text of people and programs, on one line: what is hidden in it is named, and nothing in it is markup. */
export const said = (text: string, most = 200): string => clipped(printable(text), most);

/** A time as people read it, with the moment itself for whoever points at it. `now`: milliseconds since 1970. */
export const ago = (at: string, now: number): Html => {
  const absolute = at.replace("T", " ").replace(/\.\d+Z$/, " UTC");
  return html`<time datetime="${at}" title="${absolute}">${lasting(now - Date.parse(at))} ago</time>`;
};

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** `3 h`, `12 min`, `4 s`: the largest unit alone, of milliseconds. */
export const lasting = (ms: number): string => {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? (["s", 1_000] as const);
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
};

type Tone = "live" | "moving" | "held" | "failed" | "gone";
/** Drawn, since fonts lack some. */
const SYMBOLS: Readonly<Record<Tone, string>> = {
  live: "M5 1a4 4 0 1 0 0 8a4 4 0 1 0 0-8Z",
  moving: "M5 1a4 4 0 1 0 0 8a4 4 0 1 0 0-8ZM5 2.2v5.6a2.8 2.8 0 1 1 0-5.6Z",
  held: "M2.5 1h1.8v8H2.5ZM5.7 1h1.8v8H5.7Z",
  failed: "M2 .9L5 3.9 8 .9 9.1 2 6.1 5 9.1 8 8 9.1 5 6.1 2 9.1.9 8 3.9 5 .9 2Z",
  gone: "M5 1a4 4 0 1 0 0 8a4 4 0 1 0 0-8ZM5 2.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 1 1 0-5.6Z",
};

/** Drawn once a page; badges refer to them. */
export const symbols = html`<svg class="hidden" aria-hidden="true">${Object.entries(SYMBOLS).map(([tone, path]) => html`<symbol id="is-${tone}" viewBox="0 0 10 10"><path fill-rule="evenodd" d="${path}"/></symbol>`)}</svg>`;

/** Symbol, word and colour, so that none of them is needed. */
export const badge = (tone: Tone, words: string): Html =>
  html`<span class="badge ${tone}"><svg aria-hidden="true"><use href="#is-${tone}"/></svg>${words}</span>`;

const TONES: Readonly<Record<DeploymentView["status"], Tone>> = {
  queued: "moving",
  building: "moving",
  cancelling: "moving",
  built: "moving",
  deploying: "moving",
  held: "held",
  success: "live",
  failed: "failed",
  cancelled: "gone",
  superseded: "gone",
};

export const statusBadge = ({ status }: Pick<DeploymentView, "status">): Html => badge(TONES[status], status);

export const shortId = (id: string): string => id.slice(0, 14);

/** What a deployment brought, in a line: the commit's subject, or what is known in place of one. */
export const subject = ({ commit, why, id }: Pick<DeploymentView, "commit" | "why" | "id">): string =>
  said(commit?.message?.split("\n")[0] || why || id, 120);

/** A button that copies; the script shows it, since it needs that. @param what is copied, in words */
export const copy = (text: string, what: string): Html =>
  html`<button type="button" class="copy" hidden data-copy="${text}">copy<span class="hidden"> ${what}</span></button>`;

/** The same as a command line, to copy. */
export const command = (words: string): Html =>
  html`<span class="line"><code class="cli">${words}</code>${copy(words, "the command")}</span>`;
