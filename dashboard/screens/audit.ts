import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { jsonText } from "../../domain/kernel/text.ts";
import { csvHeader, csvLine } from "../../domain/projections/audit-formats.ts";
import { page, plainPage, presentOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";
import { sealState, type TrailRow, trailTable } from "../trail.ts";
import { auditCommand, DAY_MS, exported, FILTERS, type Filters, filtersOf, queryOf, trailFrom } from "../trail-query.ts";
import { command, type Html, said } from "../words.ts";

const SHOWN = 100;

/** As the command prints them (`shiplog audit --csv`, `--json`). */
const FORMATS = {
  csv: { type: "text/csv", head: `${csvHeader}\r\n`, line: csvLine, end: "\r\n", option: "--csv" },
  jsonl: { type: "application/jsonl", head: "", line: (row: TrailRow) => jsonText(row), end: "\n", option: "--json" },
} as const;

/** `/audit`: the trail, what of it is sealed, and the same as a file. */
export const audit = (ports: Ports): Hono<Env> => {
  const download = async (context: Context<Env>, name: keyof typeof FORMATS): Promise<Response> => {
    const { type, head, line, end, option } = FORMATS[name];
    const query = queryOf(filtersOf(context.req.query()), ports.now());
    const text = await exported(clientOf(ports, context), query, line, end);
    if (text === undefined) return context.html(await tooMuch(auditCommand(query, option)), 413);
    return context.body(head + text, 200, {
      "content-type": `${type}; charset=utf-8`,
      "content-disposition": `attachment; filename="shiplog-audit.${name}"`,
    });
  };

  return new Hono<Env>()
    .get("/audit", async (context) => {
      const screen = presentOf(ports, context);
      const client = clientOf(ports, context);
      const filters = filtersOf(context.req.query());
      const query = queryOf(filters, screen.now);
      const cursor = context.req.query("cursor");
      const [{ rows, next }, seals] = await Promise.all([trailFrom(client, query, cursor, SHOWN), client.newestSeal()]);
      const body = html`<h1>Audit</h1>${filterForm(filters, screen.now)}${rows.length === 0 ? nothing(next) : trailTable(rows, screen, captionOf(rows.length, cursor, filters))}${pagesOf(filters, cursor, next)}${downloads(filters)}${sealState(seals, screen)}<p class="soft">The same from a terminal: ${command(auditCommand(query))}</p>`;
      return context.html(await page({ title: "Audit", room: "audit", screen, path: "/audit", body, withTime: false }));
    })
    .get("/audit/export.csv", (context) => download(context, "csv"))
    .get("/audit/export.jsonl", (context) => download(context, "jsonl"));
};

const LABELS = { since: "From", until: "Until", site: "Site", environment: "Environment", actor: "Who", type: "Event" } as const;
const PERIODS = [
  ["1 day", 1],
  ["7 days", 7],
  ["30 days", 30],
] as const;

const filterForm = (filters: Filters, now: number): Html => {
  const hints = {
    since: new Date(now - DAY_MS).toISOString(),
    until: new Date(now).toISOString(),
    site: "web",
    environment: "production",
    actor: "ann",
    type: "ReleaseWentLive",
  };
  const fields = FILTERS.map(
    (name) =>
      html`<span class="field"><label for="${name}">${LABELS[name]}</label><input id="${name}" name="${name}" value="${filters[name] ?? ""}" placeholder="${hints[name]}" autocomplete="off"></span>`,
  );
  const periods = PERIODS.map(([words, days]) => {
    const since = new Date(now - days * DAY_MS).toISOString();
    const { until: _, ...kept } = filters;
    return html`<a href="${addressOf("/audit", { ...kept, since })}">${words}</a>`;
  });
  return html`<form class="find" method="get" action="/audit">${fields}<button>Show</button></form><p class="find"><span class="soft">the last:</span> ${periods} <a href="/audit">No filter</a></p>`;
};

const addressOf = (path: string, query: Readonly<Record<string, string>>): string => {
  const text = new URLSearchParams(query).toString();
  return text === "" ? path : `${path}?${text}`;
};

const captionOf = (count: number, cursor: string | undefined, { since, until }: Filters): string => {
  const events = `${count} ${count === 1 ? "event" : "events"}, the oldest first`;
  if (cursor !== undefined) return `${events}, going on`;
  if (since === undefined && until === undefined) return `${events}, of the last day`;
  return events;
};

const nothing = (next: string | null): Html =>
  html`<p class="soft">${next === null ? "Nothing fits. Take a longer time or fewer filters." : "Nothing fits in what was looked through so far."}</p>`;

const pagesOf = (filters: Filters, cursor: string | undefined, next: string | null): Html =>
  html`<p class="find">${cursor === undefined ? "" : html`<a href="${addressOf("/audit", filters)}">To the beginning</a>`}${next === null ? html`<span class="soft">This is the end.</span>` : html`<a href="${addressOf("/audit", { ...filters, cursor: next })}">Go on from there</a>`}</p>`;

const downloads = (filters: Filters): Html =>
  html`<p class="find"><span>All that fits, as a file:</span><a class="button" href="${addressOf("/audit/export.csv", filters)}">CSV</a><a class="button" href="${addressOf("/audit/export.jsonl", filters)}">JSON lines</a></p>`;

const tooMuch = (words: string): Html =>
  plainPage(
    "Too much for one file",
    html`<h1>Too much for one file</h1><p role="alert">More fits than one answer holds: nothing was written, so that no file looks whole and is not.</p><p>Take a shorter time or more filters, or have all of it from a terminal: ${command(said(`${words} > audit`, 1_000))}</p><p><a href="/audit">Back</a></p>`,
  );
