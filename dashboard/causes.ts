import { html } from "hono/html";
import type { z } from "zod";
import type { EventView } from "../client/contract.ts";
import { type Html, said } from "./words.ts";

type Event = z.infer<typeof EventView>;

/** Of a cause the event that it names, where it names one: `<id>` or `<id>/withdraw`; others are commands (`api/…`) or builds. */
export const causingEvent = (cause: string): string | undefined => /^([\w-]{22}\.\d+)(?:\/|$)/.exec(cause)?.[1];

/** What of these events was caused by which, by ids. */
export type Effects = ReadonlyMap<string, readonly Event[]>;
export const effectsIn = (events: readonly Event[]): Effects =>
  Map.groupBy(
    events.filter(({ cause }) => causingEvent(cause) !== undefined),
    ({ cause }) => causingEvent(cause) ?? "",
  );

/** Why an event is, and what it led to: links within the page where the other is on it, else to where it stands in the log. */
export const causesOf = ({ id, at, cause }: Event, effects: Effects, onPage: ReadonlySet<string>): Html => {
  const by = causingEvent(cause);
  const why =
    by === undefined
      ? said(cause)
      : html`<a href="${onPage.has(by) ? `#${by}` : `/events/${encodeURIComponent(by)}?before=${encodeURIComponent(at)}`}">${said(cause)}</a>`;
  const led = (effects.get(id) ?? []).map((event, n) => html`${n === 0 ? "" : ", "}<a href="#${event.id}">${said(event.type, 64)}</a>`);
  return html`<p class="soft">cause: ${why}</p>${led.length === 0 ? "" : html`<p class="soft">led to: ${led}</p>`}`;
};
