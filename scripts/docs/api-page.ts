import { openApi } from "../../client/openapi.ts";
import type { Operation } from "../../client/operations/operation.ts";
import { operations } from "../../client/operations.ts";
import type { JsonSchema } from "../../domain/kernel/json-schema.ts";
import { code, fields, heading, joined, prose, table, typeOf } from "./markdown.ts";

type Parameter = {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: true;
  readonly description?: string;
  readonly schema: JsonSchema;
};
type Content = { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> };
type Described = {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
};
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>>; readonly schemas: Readonly<Record<string, JsonSchema>> };
};

const TITLES: Readonly<Record<string, string>> = {
  health: "The engine",
  "openapi.json": "The engine",
  sources: "Deployments",
  deployments: "Deployments",
  environments: "Environments",
  events: "The log",
  stream: "The log",
  audit: "The log",
  dora: "The log",
  seals: "The log",
  "dead-letters": "Dead letters",
  webhooks: "Webhooks",
  subscriptions: "Subscriptions",
  caller: "Sessions",
  sessions: "Sessions",
  people: "People",
};
const ORDER = ["Deployments", "Environments", "The log", "Webhooks", "Subscriptions", "Dead letters", "Sessions", "People", "The engine"];
const titleOf = ({ path }: Operation): string => {
  const title = TITLES[path.split("/")[2] ?? ""];
  if (title === undefined) throw new Error(`scripts/docs/api-page.ts: say in TITLES below which heading ${path} is told`);
  return title;
};

const link = (name: string): string => `[${name}](#${name.toLowerCase()})`;
const schemaIn = ({ content }: Content = {}): JsonSchema | undefined => Object.values(content ?? {})[0]?.schema;

const operationSection = (operation: Operation, { paths, components }: Document): string => {
  const { method, path, summary, id, status = 200, open } = operation;
  const described = paths[path.replace(/:(\w+)/g, "{$1}")]?.[method];
  if (described === undefined) throw new Error(`no ${method} ${path} in the document`);
  const parameters = (described.parameters ?? []).map((one) =>
    one.$ref === undefined ? one : (components.parameters[one.$ref.slice(one.$ref.lastIndexOf("/") + 1)] ?? one),
  );
  const rows = parameters.map(({ name, in: where, description, schema, required }) => {
    const [said = ""] = [fieldOf(name, { ...schema, ...(description !== undefined && { description }) }, required === true)];
    return [code(name), where, typeOf(schema, link), said];
  });
  const body = schemaIn(described.requestBody);
  const answer = schemaIn(described.responses[status]);
  const refusals = Object.keys(described.responses).filter((one) => Number(one) >= 400);
  return joined(
    `### ${method.toUpperCase()} ${path}`,
    `${prose(summary)}.${open ? " It needs no token." : ""} Operation \`${id}\`.`,
    table(["parameter", "in", "type", ""], rows),
    body === undefined ? "" : `Body: ${typeOf(body, link)}.`,
    `Answer: ${status}${answer === undefined ? "" : `, ${typeOf(answer, link)}`}. Refusals: ${refusals.join(", ")}.`,
  ).trimEnd();
};

/** The third cell of a table of fields. */
const fieldOf = (name: string, schema: JsonSchema, isRequired: boolean): string => {
  const line = fields({ properties: { [name]: schema }, required: isRequired ? [name] : [] }, link).split("\n")[2] ?? "";
  return (
    line
      .split(/(?<!\\)\|/)[3]
      ?.trim()
      .replaceAll("\\|", "|") ?? ""
  );
};

/** Every operation of the HTTP API, and the shapes that go in and come out. */
export const apiPage = (): string => {
  const document = openApi() as unknown as Document;
  const shapes = Object.entries(document.components.schemas).sort(([one], [other]) => one.localeCompare(other, "en"));
  return joined(
    heading(
      "HTTP API",
      "JSON everywhere. Send a token as `Authorization: Bearer <token>`. A command takes an `Idempotency-Key`: repeated with the same key it does nothing new and answers the same ([ADR 14](../adr/0014-keys-of-requests-and-claims-of-folders.md)). A refusal has a [code](refusal-codes.md). Every answer says in `X-Shiplog-Version` which release gives it. An id may be cut to a beginning that only one has. As OpenAPI 3.1: `shiplog schema api`, or `GET /v1/openapi.json` of an engine.",
    ).trimEnd(),
    ...ORDER.flatMap((title) => [
      `## ${title}`,
      ...operations.filter((operation) => titleOf(operation) === title).map((operation) => operationSection(operation, document)),
    ]),
    "## Shapes",
    ...shapes.map(([name, schema]) =>
      joined(
        `### ${name}`,
        fields(schema, link) ||
          `${prose((schema.description as string | undefined)?.replace(/^Refused with: /, "") ?? typeOf(schema, link))}.`,
      ).trimEnd(),
    ),
  );
};
