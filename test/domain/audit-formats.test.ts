import { describe, expect, it } from "vitest";
import type { AuditRow } from "../../domain/projections/audit.ts";
import { cloudEvent, csvHeader, csvLine } from "../../domain/projections/audit-formats.ts";
import { at, deploymentId } from "../support/samples.ts";

const row = (change: Partial<AuditRow> = {}): AuditRow => ({
  id: "Ab3dEf6hIj9lMn2pQr5tUv.0",
  position: "001795435295000",
  at: at(1),
  type: "ReleaseWentLive",
  stream: "environment/web/production",
  version: 7,
  site: "web",
  environment: "production",
  deployment: deploymentId(7),
  actor: "ada (token default)",
  credential: "token:default",
  address: "203.0.113.9",
  why: "it was broken",
  facts: "#12 web",
  trigger: "rollback",
  change: { of: "live", before: null, after: deploymentId(7) },
  cause: "api/1",
  correlation: "api/1",
  ...change,
});

/** As RFC 4180 reads it. */
const readCsv = (text: string): string[][] => {
  const rows: string[][] = [[]];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/gy;
  for (let match = cell.exec(text); match !== null && cell.lastIndex <= text.length; match = cell.exec(text)) {
    const [, said = "", end] = match;
    rows.at(-1)?.push(said.startsWith('"') ? said.slice(1, -1).replaceAll('""', '"') : said);
    if (end === "") return rows;
    if (end !== ",") rows.push([]);
  }
  throw new Error(`not CSV at ${cell.lastIndex}: ${text}`);
};
const cellsOf = (of: AuditRow): Record<string, string> => {
  const [head = [], cells = [], ...more] = readCsv(`${csvHeader}\n${csvLine(of)}`);
  expect([cells.length, more]).toEqual([head.length, []]);
  return Object.fromEntries(head.map((name, column) => [name, cells[column] ?? ""]));
};

describe("a line of CSV", () => {
  it("has a cell for each part of the row, in the header's order", () => {
    const { change, ...rest } = row();
    expect(cellsOf(row())).toEqual(
      Object.fromEntries(
        Object.entries({ ...rest, changed: change?.of, before: change?.before, after: change?.after }).map(([name, value]) => [
          name,
          String(value ?? ""),
        ]),
      ),
    );
    expect(cellsOf(row({ change: null, why: null, site: null }))).toMatchObject({ changed: "", before: "", after: "", why: "", site: "" });
  });

  it("has nothing that acts on a terminal or turns a cell round, and no formula behind it", () => {
    const { why, actor } = cellsOf(row({ why: "two\r\nlines\x1b[2J\u202e", actor: "\u202e\x1b[0m=cmd|' /C calc'!A0" }));
    expect([why, actor]).toEqual(["two\nlines", "'=cmd|' /C calc'!A0"]);
    expect(cellsOf(row({ why: "\r=1" })).why).toBe("'\n=1");
  });

  it.each(['say "why"', "a,b", "two\nlines", '"', '","', " leading and trailing ", "ünïcödé 🚀", ""])("keeps %j as it is", (why) => {
    expect(cellsOf(row({ why })).why).toBe(why);
  });

  it.each([
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\n=1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.example","x")',
    '-2+3+cmd|"/C calc"!A0',
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
  ])("lets no spreadsheet run %j, in whatever cell it is", (evil) => {
    const cells = cellsOf(row({ why: evil, actor: evil, trigger: evil, change: { of: "pin", before: evil, after: evil } }));
    for (const name of ["why", "actor", "trigger", "before", "after"]) expect(cells[name]).toBe(`'${evil}`);
  });

  it("leaves a formula's characters alone where they begin nothing", () => {
    expect(cellsOf(row({ why: "1+1=2" })).why).toBe("1+1=2");
  });
});

describe("a CloudEvent", () => {
  const rows = [
    row(),
    row({ stream: `deployment/${deploymentId(1)}`, type: "DeploymentQueued" }),
    row({ stream: "webhook/wh_1", deployment: null, site: null, environment: null, change: null }),
  ];

  it.each(rows.map((one) => [one.stream, one] as const))("of %s has the attributes that version 1.0 requires, of their types", (_, one) => {
    const event = JSON.parse(JSON.stringify(cloudEvent(one))) as Record<string, unknown>;
    expect(event.specversion).toBe("1.0");
    for (const required of ["id", "source", "type"]) expect(event[required]).toEqual(expect.stringMatching(/^.+$/));
    // a URI reference; an absolute one is recommended
    expect(new URL(String(event.source)).protocol).toBe("urn:");
    // RFC 3339
    expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
    expect(event.subject).toEqual(expect.stringMatching(/^.+$/));
    expect(event.datacontenttype).toBe("application/json");
    expect(event.data).toEqual(one);
    // names are lower-case letters and digits, and no attribute is null
    for (const [name, value] of Object.entries(event)) {
      expect(name).toMatch(/^[a-z0-9]{1,20}$/);
      if (name !== "data") expect(typeof value).toBe("string");
    }
  });

  it("is another one where its source or its id is another", () => {
    const keys = rows.map(cloudEvent).map(({ source, id }) => `${source} ${id}`);
    expect(new Set(keys).size).toBe(rows.length);
  });
});
