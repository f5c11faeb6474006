import type { Context } from "hono";
import { html } from "hono/html";
import type { Env, Ports } from "./ports.ts";
import { type Html, said, symbols } from "./words.ts";

/** What every screen knows of its request. */
export type Screen = {
  /** the moment that is looked at, milliseconds since 1970: how long ago something was is told from here */
  readonly now: number;
  /** the time of day, milliseconds since 1970 */
  readonly present: number;
  /** ISO 8601, or a position of the log: the page as it would have been then; `undefined`: as it is */
  readonly at: string | undefined;
  /** who looks, as the log says it */
  readonly actor: string;
  /** whether something can be done here: it is the present, and the token may do more than look */
  readonly canAct: boolean;
  /** when the log begins: milliseconds since 1970; `undefined` where it is empty */
  readonly begins: number | undefined;
};

/** Each screen takes `?at=` (ISO 8601, or a position of the log) and shows what the API says of then. */
export const screenOf = (ports: Ports, context: Context<Env>): Screen => {
  const given = context.req.query("at");
  const at = given === "" ? undefined : given;
  const here = presentOf(ports, context);
  return { ...here, at, now: momentOf(at ?? "") ?? here.present, canAct: here.canAct && at === undefined };
};

/** The same, of a screen that shows the present alone. */
export const presentOf = ({ now }: Ports, context: Context<Env>): Screen => {
  const { actor, scope } = context.get("caller");
  const present = now();
  return { now: present, present, at: undefined, actor, canAct: scope === "all", begins: context.get("begins") };
};

/** What the navigation leads to, and by which key after `g`; a room of the present alone takes no moment along. */
const ROOMS = {
  overview: { href: "/", words: "Overview", key: "e", hasPast: true },
  deployments: { href: "/deployments", words: "Deployments", key: "d", hasPast: true },
  log: { href: "/log", words: "Log", key: "l", hasPast: true },
  audit: { href: "/audit", words: "Audit", key: "a", hasPast: false },
  webhooks: { href: "/webhooks", words: "Webhooks", key: "w", hasPast: false },
  quarantine: { href: "/quarantine", words: "Quarantine", key: "q", hasPast: false },
  health: { href: "/health", words: "Health", key: "h", hasPast: false },
  dora: { href: "/dora", words: "DORA", key: "f", hasPast: false },
} as const;

type Page = {
  readonly title: string;
  /** the heading of the navigation that this is below */
  readonly room: keyof typeof ROOMS | "none";
  readonly screen: Screen;
  /** this page's path, for the links through time */
  readonly path: string;
  readonly body: Html;
  /** seconds after which it is asked for again while it is looked at; never where it is left out */
  readonly every?: number;
  /** what it says of itself, a line each: a line that is new is told to who cannot see it */
  readonly says?: readonly string[];
  /** names of the streams whose events change it; default: any may */
  readonly shows?: readonly string[];
  /** whether it is a page of a moment */
  readonly withTime?: boolean;
  /** what else of its address the time's form keeps */
  readonly keep?: Readonly<Record<string, string>>;
};

/** While something is on its way, and while nothing is. */
export const SOON = 3;
export const LATER = 15;

const HOUR = 3_600_000;
const BACK: readonly [string, number][] = [
  ["1 hour", HOUR],
  ["1 day", 24 * HOUR],
  ["7 days", 7 * 24 * HOUR],
  ["30 days", 30 * 24 * HOUR],
];

/** A link that stays in the moment that is looked at. */
export const linkTo = (path: string, { at }: Pick<Screen, "at">): string => {
  if (at === undefined) return path;
  return `${path}${path.includes("?") ? "&" : "?"}at=${encodeURIComponent(at)}`;
};

const document = (title: string, body: Html, withScript: boolean): Html => html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} · Shiplog</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/style.css">${withScript ? html`<script src="/assets/live.js" defer></script>` : ""}</head>
<body>${symbols}${body}</body></html>`;

/** A page of somebody who signed in. What is past is not updated, and says so. */
export const page = (given: Page): Html => {
  const { title, room, screen, path, body, every, withTime = true, keep = {} } = given;
  const isLive = screen.at === undefined && every !== undefined;
  const rooms = Object.entries(ROOMS).map(
    ([name, { href, words, key, hasPast }]) =>
      html`<a href="${hasPast ? linkTo(href, screen) : href}" data-key="${key}"${name === room ? html` aria-current="page"` : ""}>${words}</a>`,
  );
  return document(
    title,
    html`<a class="skip" href="#content">To the content</a>
<header class="top"><strong>Shiplog</strong><nav aria-label="Main">${rooms}</nav><span class="alive soft" id="alive">${isLive ? "load it again to see what is new" : screen.at === undefined ? "" : "the past"}</span><a class="soft" href="/sessions">${said(screen.actor, 40)}</a><form method="post" action="/signout"><button>Sign out</button></form></header>
${withTime ? timeBar(path, screen, keep) : ""}<main id="content" tabindex="-1"${isLive ? liveAttributes(given) : ""}>${body}</main><p id="told" class="hidden" aria-live="polite"></p>${keysHelp}`,
    true,
  );
};

const liveAttributes = ({ every, says = [], shows = [] }: Page): Html =>
  html` data-live="${every}" data-says="${says.join("\n")}" data-shows="${shows.join(" ")}"`;

const keysHelp = html`<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2><dl><dt><kbd>/</kbd></dt><dd>find</dd>${Object.values(ROOMS).map(({ key, words }) => html`<dt><kbd>g</kbd> <kbd>${key}</kbd></dt><dd>${words}</dd>`)}<dt><kbd>?</kbd></dt><dd>this list; <kbd>Esc</kbd> closes it</dd></dl></dialog>`;

/** A page for somebody who did not sign in, or whose request went wrong. */
export const plainPage = (title: string, body: Html, withScript = false): Html =>
  document(title, html`<main id="content" class="narrow">${body}</main>`, withScript);

const timeBar = (path: string, screen: Screen, keep: Readonly<Record<string, string>>): Html => {
  const { at, present: now } = screen;
  const query = new URLSearchParams(keep).toString();
  const here = query === "" ? path : `${path}?${query}`;
  const links = BACK.map(([words, ms]) => html`<a href="${linkTo(here, { at: secondOf(now - ms) })}">${words}</a>`);
  const kept = Object.entries(keep).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  const shown = at === undefined ? "" : html`<strong class="past">The past: ${at}.</strong> <a href="${here}">Back to now</a>`;
  return html`<section aria-label="Time" class="time">${slider(screen)}<form method="get" action="${path}">${kept}<label for="at">As of</label><input id="at" name="at" value="${at ?? ""}" placeholder="${secondOf(now)}" autocomplete="off" required><button>Show</button><span class="soft">ago: ${links}</span>${shown}</form></section>`;
};

/** From the log's first event to now. It needs the script, which shows it. */
const slider = ({ at, present: now, begins }: Screen): Html | string => {
  if (begins === undefined) return "";
  const stands = at === undefined ? now : Math.min(now, Math.max(begins, momentOf(at) ?? now));
  return html`<p class="slide" hidden><label for="slider">Time</label><input type="range" id="slider" min="${begins}" max="${now}" step="any" value="${stands}" aria-describedby="slid"><output id="slid" for="slider">${at === undefined ? "now" : ""}</output></p>`;
};

/** Milliseconds since 1970, of ISO 8601 or a position of the log; `undefined` where it is neither. */
export const momentOf = (at: string): number | undefined => {
  const ms = /^\d{15}$/.test(at) ? Number(at) : Date.parse(at);
  return Number.isNaN(ms) ? undefined : ms;
};

const secondOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
