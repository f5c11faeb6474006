import { storable } from "../kernel/text.ts";
import type { AuditRow } from "./audit.ts";

const COLUMNS = [
  "position",
  "at",
  "id",
  "type",
  "stream",
  "version",
  "site",
  "environment",
  "deployment",
  "actor",
  "credential",
  "address",
  "why",
  "trigger",
  "changed",
  "before",
  "after",
  "cause",
  "correlation",
  "facts",
] as const;

/** The names of a trail's columns in CSV. */
export const csvHeader = COLUMNS.join(",");

/** One row of the trail as a line of CSV (RFC 4180), without its end. */
export const csvLine = (row: AuditRow): string => {
  const { change, ...rest } = row;
  const flat: Record<string, unknown> = { ...rest, changed: change?.of, before: change?.before, after: change?.after };
  return COLUMNS.map((column) => cell(flat[column])).join(",");
};

/** What a spreadsheet takes for the beginning of a formula, also in full width, as some write Asian text. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/**
 * A cell that no spreadsheet takes for a formula (one that begins like one gets an apostrophe first), and in which nothing
 * acts on a terminal: as `storable` leaves it. The very bytes of an older log are in its export and in --json.
 */
const cell = (value: unknown): string => {
  const text = value === null || value === undefined ? "" : storable(String(value));
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** CloudEvents 1.0, structured mode: `source` and `id` together are unique. */
export const cloudEvent = (row: AuditRow) => ({
  specversion: "1.0",
  id: row.id,
  source: `urn:shiplog:${row.stream}`,
  type: `shiplog.${row.type}`,
  time: row.at,
  subject: row.deployment ?? row.stream,
  datacontenttype: "application/json",
  data: row,
});
