import type { Readable } from "node:stream";
import { ORIGIN_HEADER } from "../../blueprint/site-resources.ts";
import type { FunctionRole } from "../../domain/deployment/shapes.ts";
import type { AwsResponse } from "../http.ts";
import { type Answer, page, releaseIn } from "./answer.ts";
import type { Reply } from "./answer-cache.ts";
import type { Found } from "./file-answer.ts";
import { functionEvent, PAYLOAD_LIMIT } from "./function-event.ts";
import { answerOf, streamedAnswerOf } from "./function-result.ts";
import { REQUEST_ID, report } from "./report.ts";
import type { ViewerRequest } from "./viewer-request.ts";

/** The function that is asked: by the id of an address, as the router chose it, or as the origin of a behaviour, by its alias `live`. */
export type Target = { readonly address: string } | { readonly role: FunctionRole };

/**
 * What a function gave. `description` is that of the alias as it was executed (`seq=7 dep=dep_01J…`); `functionError` as
 * Lambda's header of that name. `payload` is what it returned, `body` what it streams; `status` is there where Lambda itself
 * answered: there is no room for another invocation, or no such address.
 */
export type Invoked =
  | (({ readonly payload: Buffer; readonly functionError?: string } | { readonly contentType: string; readonly body: Readable }) & {
      readonly description: string;
    })
  | AwsResponse;

export type Origins = {
  /** Runs a function with a Function URL event (format 2.0). */
  invoke(target: Target, event: object): Promise<Invoked>;
  /** An object below the environment's `_assets` prefix, by its decoded key: 200, 206 or 416; undefined when there is none. */
  asset(key: string, range: string | undefined): Promise<Found | undefined>;
  /** what the edge says to functions with each request, so that they know it; nothing by default */
  readonly originKeys?: readonly string[];
};

/** A request on its way to an origin. */
export type Call = {
  readonly requestId: string;
  readonly request: ViewerRequest;
  readonly body: Buffer;
  /** what belongs to the visitor's connection */
  readonly connection: { readonly secure: boolean; readonly ip: string | undefined; readonly httpVersion: string };
};

/** Asks a function. Whatever goes wrong is an answer, and its reason is reported. */
export const askFunction = async (origins: Origins, target: Target, call: Call): Promise<Reply> => {
  const { requestId, body, connection } = call;
  const { path, query, method, headers } = call.request;
  const asked = { url: query === "" ? path : `${path}?${query}`, method, headers, httpVersion: connection.httpVersion };
  const event = functionEvent({ ...asked, socket: { remoteAddress: connection.ip } }, body, connection.secure, requestId, Date.now());
  if ((event.body?.length ?? 0) > PAYLOAD_LIMIT) return { answer: TOO_LARGE, release: undefined, isFile: false };
  const keys = origins.originKeys ?? [];
  if (keys.length > 0) event.headers[ORIGIN_HEADER] = keys.join(",");
  const invoked = await origins.invoke(target, event);
  if ("status" in invoked) return { answer: originAnswer(invoked), release: undefined, isFile: false };
  const name = "role" in target ? target.role : target.address;
  return { answer: await functionAnswer(invoked, name, requestId), release: releaseIn(invoked.description), isFile: false };
};

const functionAnswer = async (invoked: Exclude<Invoked, AwsResponse>, name: string, requestId: string): Promise<Answer> => {
  const { description } = invoked;
  if ("payload" in invoked && invoked.functionError !== undefined) {
    const { payload, functionError } = invoked;
    report(requestId, `${name} of ${description} failed (${functionError})`, payload.toString("utf8").slice(0, 4000));
    return failure(requestId);
  }
  try {
    return "body" in invoked ? await streamedAnswerOf(invoked.contentType, invoked.body) : answerOf(invoked.payload);
  } catch (error) {
    report(requestId, `${name} of ${description} gave no answer of HTTP`, error);
    return failure(requestId);
  }
};

/**
 * Asks for a file. Of one that is not there the server says so, where a behaviour names it as the second of two origins: it
 * hears the path and the host, and nothing else of the visitor. Otherwise S3 does, which does not tell what it lacks.
 */
export const askFiles = async (origins: Origins, call: Call, orServer: boolean): Promise<Reply> => {
  const { path, headers } = call.request;
  const key = assetKey(path);
  if (key === undefined) return { answer: BAD_PATH, release: undefined, isFile: true };
  const found = await origins.asset(key, headers.range);
  if (found !== undefined) return { answer: { ...found, headers: lowerCase(found.headers) }, release: undefined, isFile: true };
  if (!orServer) return { answer: ACCESS_DENIED, release: undefined, isFile: true };
  const host = headers.host;
  const request = { ...call.request, query: "", headers: host === undefined ? {} : { host } };
  return askFunction(origins, { role: "server" }, { ...call, request });
};

/** The key of a file's path; undefined for what cannot name one. */
const assetKey = (path: string): string | undefined => {
  try {
    const key = decodeURIComponent(path).replace(/^\//, "");
    return key.split("/").includes("..") || key.includes("\0") ? undefined : key;
  } catch {
    return undefined;
  }
};

const lowerCase = (headers: Found["headers"]): Answer["headers"] =>
  Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);

/** CloudFront hands on what the origin says. */
const originAnswer = ({ status, headers = {}, body = "" }: AwsResponse): Answer => ({
  status,
  headers: Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const)),
  body: typeof body === "string" ? Buffer.from(body) : body,
});

const ACCESS_DENIED: Answer = {
  status: 403,
  headers: [["content-type", "application/xml"]],
  body: Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'),
};
const BAD_PATH = page(400, "This is no path of a file", "Check the address for a stray % or a .. in it.");
export const TOO_LARGE = page(
  413,
  "The request is too large",
  "A Lambda function takes at most 6 MB in one request, less when the body is binary.",
  [["connection", "close"]],
);
export const failure = (requestId: string): Answer =>
  page(502, "The site could not answer", `The log of the development server has the reason under request ${requestId}.`, [
    [REQUEST_ID, requestId],
  ]);
