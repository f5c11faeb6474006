import { Ajv2020 } from "ajv/dist/2020.js";
import { openApi } from "../../client/openapi.ts";
import type { Operation } from "../../client/operations/operation.ts";
import { operations } from "../../client/operations.ts";

type Json = { [key: string]: unknown };
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** The same document, in which an object has no other fields than those that are told. */
const strict = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(strict);
  if (!isObject(value)) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, strict(part)]));
  return isObject(value.properties) && value.additionalProperties === undefined ? { ...inner, additionalProperties: false } : inner;
};

/** The row of the table that a request is answered by; one without parameters before one that has them. */
export const operationFor = (method: string, path: string): Operation | undefined =>
  operations
    .filter((one) => one.method === method.toLowerCase() && new RegExp(`^${one.path.replace(/:\w+/g, "[^/]+")}$`).test(path))
    .sort((one, other) => one.path.split(":").length - other.path.split(":").length)[0];

/** Says what is wrong with an answer by the API's own document; nothing where it is as the document says. */
export const openApiChecker = () => {
  const document = strict(openApi()) as Json;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(document, "api");
  const at = (...path: string[]): unknown => path.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), document);
  const pointer = (path: string[]): string => path.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

  return ({ method, path }: Operation, status: number, body: unknown): string[] => {
    const place = ["paths", path.replace(/:(\w+)/g, "{$1}"), method, "responses", String(status)];
    const said = at(...place);
    if (!isObject(said)) return [`${method} ${path} answered ${status}, which the document does not tell of`];
    const home = typeof said.$ref === "string" ? said.$ref.slice(2).split("/") : place;
    const validate = ajv.compile({ $ref: `api#${pointer([...home, "content", "application/json", "schema"])}` });
    return validate(body)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  };
};
