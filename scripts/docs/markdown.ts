import type { JsonSchema } from "../../domain/kernel/json-schema.ts";

/** The first lines of every page that is written by `npm run docs:reference`. */
export const heading = (title: string, intro: string): string =>
  `# ${title}\n\n<!-- Written by \`npm run docs:reference\` from the code: change that, not this page. -->\n\n${intro}\n`;

/** Text between backticks. */
export const code = (text: string): string => `\`${text}\``;
/** Text that may stand in a table, and is no HTML: what GitHub and the site would take for a tag goes between backticks. */
export const prose = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith("`")
        ? part
        : part
            .replace(/<[^>\s]+>(?:\/<[^>\s]+>)*/g, "`$&`")
            .replaceAll("{{", "&#123;&#123;")
            .replaceAll("*", "\\*"),
    )
    .join("");

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** A table of GitHub's Markdown; nothing where it has no rows. Columns that are empty in every row are left out. */
export const table = (columns: readonly string[], rows: readonly (readonly string[])[]): string => {
  if (rows.length === 0) return "";
  const kept = columns.map((_, index) => index).filter((index) => rows.some((row) => (row[index] ?? "") !== ""));
  const line = (cells: readonly string[]): string => `| ${kept.map((index) => cell(cells[index] ?? "")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
};

/** Parts of a page with an empty line between them. */
export const joined = (...parts: readonly string[]): string => `${parts.filter((part) => part !== "").join("\n\n")}\n`;

type Schema = JsonSchema & {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly default?: unknown;
  readonly description?: string;
  readonly pattern?: string;
  readonly format?: string;
};

const nameOf = (reference: string): string => reference.slice(reference.lastIndexOf("/") + 1);
/** What zod writes where there is no bound of ours. */
const NO_BOUNDS: readonly unknown[] = [undefined, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER];

/** The type of a value in a few words; `link` leads from the name of a shape to where it is told. */
export const typeOf = (schema: Schema, link: (name: string) => string): string => {
  const { $ref, enum: values, const: only, anyOf, oneOf, type, items, additionalProperties, properties } = schema;
  if ($ref !== undefined) return link(nameOf($ref));
  if (only !== undefined) return code(JSON.stringify(only));
  if (values !== undefined) return values.map((value) => code(JSON.stringify(value))).join(", ");
  const either = anyOf ?? oneOf;
  if (either !== undefined) return [...new Set(either.map((one) => typeOf(one, link)))].join(" or ");
  if (type === "array") return items === undefined ? "array" : `array of ${typeOf(items, link)}`;
  if (typeof additionalProperties === "object" && properties === undefined) return `object: name to ${typeOf(additionalProperties, link)}`;
  if (Array.isArray(type)) return type.join(" or ");
  return typeof type === "string" ? type : "anything";
};

/** Bounds and form of a value, as far as JSON Schema says them and its description does not. */
const boundsOf = ({ description = "", pattern, format, ...rest }: Schema): string => {
  const { minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems } = rest as Record<string, number | undefined>;
  const range = (low: number | undefined, high: number | undefined, of: string): string[] => {
    const [from, to] = [NO_BOUNDS.includes(low) ? undefined : low, NO_BOUNDS.includes(high) ? undefined : high];
    if (from === undefined && to === undefined) return [];
    if (to === undefined) return [from === 1 && of !== "" ? "not empty" : `at least ${from}${of}`];
    return [from === undefined ? `at most ${to}${of}` : `${from} to ${to}${of}`];
  };
  return [
    ...range(minimum ?? (exclusiveMinimum === 0 ? 1 : undefined), maximum, ""),
    ...range(minLength, maxLength, " characters"),
    ...range(minItems, maxItems, " of them"),
    ...(format === undefined ? [] : [`as ${format}`]),
    ...(pattern === undefined || format !== undefined || description.includes("Refused with") ? [] : [`matches ${code(pattern)}`]),
  ].join("; ");
};

/** The words of a schema; what zod refuses with stands apart. */
const described = (description = ""): string =>
  prose(description)
    .replace(/^Refused with: (.*)$/, "refused with “$1”")
    .replace(/\. Refused with: (.*)$/, "; refused with “$1”");

const each = (text: string): string => (text === "" ? "" : `each ${text}`);
const told = (schema: Schema, isRequired: boolean): string => {
  const { description = "", default: usual, items } = schema;
  return [
    described(description),
    boundsOf(schema),
    ...(items === undefined || items.$ref !== undefined ? [] : [each(described(items.description)), each(boundsOf(items))]),
    ...(usual === undefined ? [] : [`default ${code(JSON.stringify(usual))}`]),
    ...(isRequired || usual !== undefined ? [] : ["may be absent"]),
  ]
    .filter((part) => part !== "")
    .join("; ");
};

const inlineOf = (schema: Schema): Schema | undefined => {
  const either = (schema.anyOf ?? []).filter(({ type }) => type !== "null");
  const [only] = either.length === 1 ? either : [schema];
  const inner = only?.type === "array" ? only.items : only;
  return inner?.properties === undefined ? undefined : inner;
};

/** The fields of an object, those of an object in it below it: `live.sequence`, `functions[].name`. */
export const fieldRows = (schema: JsonSchema, link: (name: string) => string, before = ""): string[][] => {
  const { properties = {}, required = [] } = schema as Schema;
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${before}${name}`;
    const inner = inlineOf(field);
    const list = field.type === "array" || field.anyOf?.some(({ type }) => type === "array") === true;
    return [
      [code(path), typeOf(field, link), told(field, required.includes(name))],
      ...(inner === undefined ? [] : fieldRows(inner, link, `${path}${list ? "[]" : ""}.`)),
    ];
  });
};

/** A table of `fieldRows`. */
export const fields = (schema: JsonSchema, link: (name: string) => string): string => table(["field", "type", ""], fieldRows(schema, link));
