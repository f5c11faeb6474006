import { clipped, storable } from "../../domain/kernel/text.ts";

const MAX_FIELDS = 3;
const MAX_VALUE = 80;

/** In what a row of the edge's table differs from what the log says, for a person. */
export const differenceOf = (found: string, should: string): string => {
  const [row, expected] = [fieldsOf(found), fieldsOf(should)];
  if (expected === undefined) return "it says something else than the log";
  if (row === undefined) return `it says something else than the log: ${shown(found)}`;
  const names = [...new Set([...Object.keys(expected), ...Object.keys(row)])];
  const fields = names.filter((name) => shown(row[name]) !== shown(expected[name]));
  // the same in another order, or with other spaces
  if (fields.length === 0) return "it says what the log says, in other words";
  const named = fields
    .slice(0, MAX_FIELDS)
    .map(
      (name) =>
        `${name} is ${shown(row[name])}, ${name in expected ? `and the log says ${shown(expected[name])}` : "which the log does not say"}`,
    );
  return [...named, ...(fields.length > MAX_FIELDS ? [`${fields.length - MAX_FIELDS} more`] : [])].join("; ");
};

const fieldsOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
};

const shown = (value: unknown): string => (value === undefined ? "missing" : clipped(storable(JSON.stringify(value)), MAX_VALUE));
