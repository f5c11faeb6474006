import type * as z from "zod";
import { Artifact, GitCommit, Release, Source } from "../domain/deployment/shapes.ts";
import { Keep } from "../domain/environment/keep.ts";
import { DeploymentId, Name } from "../domain/kernel/identity.ts";
import { type JsonSchema, jsonSchema, namedSchemas } from "../domain/kernel/json-schema.ts";
import { DeploymentView, EnvironmentView } from "../domain/projections/views.ts";
import * as contract from "./contract.ts";
import type { Operation } from "./operations/operation.ts";
import { operations } from "./operations.ts";
import { CLIENT_VERSION_HEADER, VERSION_HEADER, version } from "./version.ts";

/** Parts that several answers have, besides what the contract itself names. */
const SHARED = {
  DeploymentId,
  Name,
  Artifact,
  GitCommit,
  Release,
  Source,
  DeploymentView,
  Environment: contract.OneEnvironment.shape.environment,
  LiveView: EnvironmentView.shape.live.unwrap(),
  PastLiveView: EnvironmentView.shape.history.element,
  Marked: EnvironmentView.shape.marked,
  Swept: EnvironmentView.shape.swept,
  Keep,
  WebhookView: contract.OneWebhook.shape.webhook,
  ComparedRelease: contract.OneComparison.shape.comparison.shape.from,
  Delivery: contract.OneDelivery.shape.delivery,
  AuditRow: contract.AuditPage.shape.rows.element,
};
const isSchema = (value: unknown): value is z.ZodType => typeof value === "object" && value !== null && "_zod" in value;
/** Schemas by the names that they have here; one that is exported twice has its first name. */
const NAMES = new Map<z.ZodType, string>(
  [...Object.entries(SHARED), ...Object.entries(contract)]
    .flatMap(([name, schema]) => (isSchema(schema) ? [[schema, name] as const] : []))
    .toReversed(),
);

const component = (kind: string, name: string): JsonSchema => ({ $ref: `#/components/${kind}/${name}` });
/** As a component where it has a name, else as it is. */
const schemaOf = (schema: z.ZodType): JsonSchema => {
  const name = NAMES.get(schema);
  if (name !== undefined) return component("schemas", name);
  const { $schema: _, ...inline } = jsonSchema(schema);
  return inline;
};

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  site: "Name of a site",
  environment: "Name of an environment of the site",
  id: "An id, or a unique beginning of it; 409 id.ambiguous names the candidates",
  deployment: "Id of a deployment, or a unique beginning of it",
  other: "Id of the deployment that it is held against, or a unique beginning of it",
  name: "Name of a variable",
  delivery: "Id of a delivery, or a unique beginning of it",
  letter: "Id of a dead letter, or a unique beginning of it",
};

const PROBLEMS: Readonly<Record<number, string>> = {
  400: "What was sent is not valid; the message names the field",
  401: "No token that the engine knows",
  403: "Sent by a web page, or for another host",
  404: "There is no such site, environment, deployment, endpoint, delivery or dead letter",
  409: "The rules say no, or an id is ambiguous; the code says which rule",
  413: "The body is longer than a request may be",
  422: "The Idempotency-Key came with another request before",
  500: "A fault of the engine; or the log was changed behind its back (stream.broken, seal.broken)",
  501: "Answers come whole here (stream.unavailable)",
  503: "This engine's clock is wrong (clock.wrong), so nothing was written",
  507: "The disk is full (store.full), so nothing was written",
};

const parametersOf = (path: string): string[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => {
    if (!(name in PATH_PARAMETERS)) throw new Error(`client/openapi.ts: say in PATH_PARAMETERS what :${name} of ${path} is`);
    return name;
  });

const namesSite = (schema: z.ZodType | undefined): boolean =>
  schema !== undefined && "shape" in schema && typeof schema.shape === "object" && schema.shape !== null && "site" in schema.shape;

/** Statuses other than success that a route may answer with. */
const problemsOf = ({ method, path, query, body, open, command, conflict, alsoFails = [] }: Operation): number[] => [
  ...alsoFails,
  ...(query !== undefined || body !== undefined || command ? [400] : []),
  ...(open ? [403] : [401, 403]),
  ...(path.includes(":") || namesSite(query) || namesSite(body) ? [404] : []),
  ...(command || conflict ? [409] : []),
  ...(method === "get" ? [] : [413]),
  ...(command ? [422] : []),
  ...(open ? [500] : [500, 503, 507]),
];

const queryParameters = (query: z.ZodObject): JsonSchema[] => {
  const { properties = {}, required = [] } = jsonSchema(query) as { properties?: Record<string, JsonSchema>; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    ...(required.includes(name) && { required: true }),
    schema,
  }));
};

const operationOf = (operation: Operation): JsonSchema => {
  const { method, path, id, summary, query, body, answer, status = 200, open, command, type = "application/json" } = operation;
  const content = (schema: z.ZodType, type = "application/json") => ({ [type]: { schema: schemaOf(schema) } });
  const parameters = [
    ...parametersOf(path).map((name) => component("parameters", name)),
    ...(query === undefined ? [] : queryParameters(query)),
    ...(command ? [component("parameters", "IdempotencyKey")] : []),
    ...(method === "get" ? [] : [component("parameters", "Actor")]),
    ...(id === "deploy" ? [component("parameters", "Client")] : []),
  ];
  return {
    operationId: id,
    summary,
    tags: [path.split("/")[2]],
    ...(open && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: !body.safeParse({}).success, content: content(body) } }),
    responses: {
      [status]: { description: "Done", content: content(answer, type) },
      ...Object.fromEntries(problemsOf(operation).map((problem) => [problem, component("responses", String(problem))])),
    },
  };
};

const sharedParameters = (): Record<string, JsonSchema> => {
  const header = (name: string, description: string, pattern?: string) => ({
    name,
    in: "header",
    description,
    schema: { type: "string", ...(pattern && { pattern }) },
  });
  return {
    ...Object.fromEntries(
      Object.entries(PATH_PARAMETERS).map(([name, description]) => [
        name,
        { name, in: "path", required: true, description, schema: { type: "string" } },
      ]),
    ),
    IdempotencyKey: header(
      "Idempotency-Key",
      "Repeated with the same key the command does nothing new and answers the same; a key is its token's alone",
      "^[!-~]{1,200}$",
    ),
    Actor: header("X-Shiplog-Actor", "Who the caller says they are; the log has it beside the name of the token"),
    Client: header("X-Shiplog-Client", "cli where a person asked by command"),
  };
};

/** Named schemas that a part of the document refers to, and those that these refer to. */
const used = (from: unknown, all: Readonly<Record<string, JsonSchema>>, found = new Set<string>()): ReadonlySet<string> => {
  for (const [, name = ""] of JSON.stringify(from).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    used(all[name], all, found);
  }
  return found;
};

/** The API as an OpenAPI 3.1 document: of the table of its operations and the contract's schemas, and of nothing else. */
export const openApi = (): JsonSchema => {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of operations) {
    const path = operation.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [operation.method]: operationOf(operation) };
  }
  const problem = (description: string) => ({
    description,
    headers: { [VERSION_HEADER]: component("headers", "Version") },
    content: { "application/json": { schema: schemaOf(contract.ApiError) } },
  });
  const responses = Object.fromEntries(Object.entries(PROBLEMS).map(([status, description]) => [status, problem(description)]));
  const all = namedSchemas(
    Object.fromEntries([...NAMES].map(([schema, name]) => [name, schema])),
    (name) => `#/components/schemas/${name}`,
  );
  const names = used([paths, responses], all);
  return {
    openapi: "3.1.1",
    info: {
      title: "Shiplog",
      version,
      description: `Deploys Next.js apps, and back. Every answer says in ${VERSION_HEADER} which release gives it; a client may say its own in ${CLIENT_VERSION_HEADER}. Bodies of events: shiplog schema events.`,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      headers: { Version: { description: "Version of the engine that answers", schema: { type: "string" } } },
      parameters: sharedParameters(),
      responses,
      schemas: Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name))),
    },
  };
};
