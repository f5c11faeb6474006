import type { z } from "zod";
import { AwsError, type AwsResponse } from "../http.ts";
import { type FunctionReference, functionReference } from "./names.ts";
import { malformed, staleRevision } from "./refusals.ts";

/** One call of the Lambda API: `path` holds the decoded variable parts of the path, in order. */
export type Call = {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
};

export type Operation = (call: Call) => AwsResponse | Promise<AwsResponse>;

/** Operations by the name that the API's model gives them. */
export type Operations = Readonly<Record<string, Operation>>;

/** The function that the path names, with a qualifier from the name or from `?Qualifier=`. */
export const referenceOf = (call: Call): FunctionReference => functionReference(call.path[0] ?? "", call.query.get("Qualifier"));

/** The JSON body, checked. The refusal names the field, never its value: values may be secrets. */
export const input = <S extends z.ZodType>(schema: S, { body }: Call): z.output<S> => {
  const parsed = schema.safeParse(parse(body));
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => `Value at '${path.join(".")}' failed to satisfy constraint: ${message}`);
  throw malformed(`${wrong.length} validation error${wrong.length > 1 ? "s" : ""} detected: ${wrong.join("; ")}`);
};

const parse = (body: Buffer): unknown => {
  try {
    return body.length > 0 ? JSON.parse(body.toString("utf8")) : {};
  } catch {
    throw new AwsError("SerializationException", 400, "Could not parse request body into json");
  }
};

export const answer = (status: number, body?: object): AwsResponse =>
  body === undefined ? { status } : { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };

/** 412 when the caller states a RevisionId and it is not the current one; `readAgain` names the call that gives it. */
export const checkRevision = (stated: string | null | undefined, current: string, readAgain = "GetFunction/GetAlias"): void => {
  if (stated && stated !== current) throw staleRevision(readAgain);
};

/** One page of `items` in the order of their keys; `NextMarker` is the last key that was given. */
export const page = <T>(items: readonly T[], key: (item: T) => string, { query }: Call): { page: T[]; NextMarker?: string } => {
  const marker = query.get("Marker") ?? "";
  const size = Number(query.get("MaxItems") ?? 50);
  if (!Number.isInteger(size) || size < 1 || size > 10_000) throw malformed("MaxItems must be a whole number from 1 to 10000");
  const rest = items.filter((item) => key(item) > marker).sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const last = rest[size - 1];
  return { page: rest.slice(0, size), ...(last && rest.length > size ? { NextMarker: key(last) } : {}) };
};
