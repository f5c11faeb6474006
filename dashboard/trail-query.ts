import type { Client } from "../client/client.ts";
import type { Query } from "../client/http.ts";
import { must } from "./engine.ts";
import type { TrailRow } from "./trail.ts";

export const DAY_MS = 24 * 3_600_000;

/** The filters, as they stand in the page's address; what is empty is left out. */
export const FILTERS = ["since", "until", "site", "environment", "actor", "type"] as const;
export type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

export const filtersOf = (given: Readonly<Record<string, string>>): Filters =>
  Object.fromEntries(FILTERS.flatMap((name) => (given[name]?.trim() ? [[name, given[name].trim()]] : [])));

/** What is asked of the API: of the last day, where nothing says from when. */
export const queryOf = (filters: Filters, now: number): Query =>
  filters.since !== undefined || filters.until !== undefined ? filters : { ...filters, since: new Date(now - DAY_MS).toISOString() };

/** Pages of the API that are looked through for one page of the dashboard, where a filter lets little through. */
const MAX_PAGES = 20;

/** Rows from a cursor on, in the log's order. `next`: where it goes on; null at the end. @throws Refused */
export const trailFrom = async (
  client: Client,
  query: Query,
  cursor: string | undefined,
  limit: number,
): Promise<{ rows: readonly TrailRow[]; next: string | null }> => {
  const rows: TrailRow[] = [];
  let next: string | null = cursor ?? null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await must(client.audit({ ...query, bodies: "true", cursor: next ?? undefined, limit: limit - rows.length }));
    rows.push(...found.rows);
    next = found.next;
    if (next === null || rows.length >= limit) break;
  }
  return { rows, next };
};

const EXPORT_ROWS = 10_000;
/** An answer of Lambda has 6 MB at most. */
const EXPORT_BYTES = 4_000_000;
const EXPORT_PAGES = 100;

/** Every row as a line of its own, with its end; `undefined` where they are more than one answer holds. @throws Refused */
export const exported = async (client: Client, query: Query, line: (row: TrailRow) => string, end: string): Promise<string | undefined> => {
  const lines: string[] = [];
  let bytes = 0;
  let cursor: string | undefined;
  for (let page = 0; page < EXPORT_PAGES; page++) {
    const { rows, next } = await must(client.audit({ ...query, cursor, limit: 1_000 }));
    for (const row of rows) {
      const text = `${line(row)}${end}`;
      bytes += Buffer.byteLength(text);
      lines.push(text);
    }
    if (bytes > EXPORT_BYTES || lines.length > EXPORT_ROWS) return undefined;
    if (next === null) return lines.join("");
    cursor = next;
  }
  return undefined;
};

const OPTIONS = { since: "--since", until: "--until", site: "--site", environment: "--env", actor: "--actor", type: "--type" } as const;

/** The same as a command line; what a shell would take apart is quoted. */
export const auditCommand = (query: Query, format = ""): string => {
  const words = FILTERS.flatMap((name) => (query[name] === undefined ? [] : [`${OPTIONS[name]} ${quoted(String(query[name]))}`]));
  return ["shiplog audit", ...words, ...(format === "" ? [] : [format])].join(" ");
};

const quoted = (text: string): string => (/^[\w.:@/+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
