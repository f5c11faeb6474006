import * as z from "zod";

/** A JSON Schema, as JSON. */
export type JsonSchema = { readonly [key: string]: unknown };

/** Where a rule of a schema was given words of its own: a pattern's meaning, or what JSON Schema has no word for. */
type Told = { readonly _zod: { readonly def: { readonly check?: string; readonly error?: (issue: never) => unknown } } };

/** The sentences of a schema's rules that a reader of its JSON Schema would miss. */
const rulesOf = (schema: z.core.$ZodType): string[] =>
  ((schema._zod.def as { checks?: readonly Told[] }).checks ?? []).flatMap(({ _zod: { def } }) => {
    const said = def.error?.({} as never);
    const text = typeof said === "string" ? said : (said as { message?: unknown } | undefined)?.message;
    return typeof text === "string" ? [text] : [];
  });

const REFUSED = "Refused with: ";
/** What zod calls a format, and says as a pattern too. */
const NO_FORMATS: readonly unknown[] = ["starts_with", "ends_with", "includes", "regex"];

/** Puts the rules' sentences into the description, and leaves out what is no JSON Schema. */
const override: NonNullable<z.core.ToJSONSchemaParams["override"]> = ({ zodSchema, jsonSchema }) => {
  if (NO_FORMATS.includes(jsonSchema.format)) delete jsonSchema.format;
  const { description } = jsonSchema;
  const rules = rulesOf(zodSchema).filter((rule) => !description?.includes(rule));
  if (rules.length === 0) return;
  const before = description === undefined ? REFUSED : `${description}${description.includes(REFUSED) ? "; " : `. ${REFUSED}`}`;
  jsonSchema.description = `${before}${rules.join("; ")}`;
};

type Options = Pick<z.core.ToJSONSchemaParams, "target">;

/** A schema as JSON Schema, of what is written and sent: defaults may be left out, what is not known may be there. */
export const jsonSchema = (schema: z.ZodType, options: Options = {}): JsonSchema =>
  z.toJSONSchema(schema, { io: "input", override, ...options });

/**
 * Named schemas, each once: where one is a part of another it is a reference.
 *
 * @param uri where a name is found: `#/$defs/Release`
 */
export const namedSchemas = (
  schemas: Readonly<Record<string, z.ZodType>>,
  uri: (name: string) => string,
  options: Options = {},
): Record<string, JsonSchema> => {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { io: "input", override, uri, ...options }).schemas;
  return Object.fromEntries(Object.entries(made).map(([name, { $schema: _, $id: __, id: ___, ...schema }]) => [name, schema]));
};
