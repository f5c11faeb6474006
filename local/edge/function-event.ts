import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { SESSION_COOKIE } from "../../dashboard/session.ts";
import { passes } from "./answer.ts";

/** Lambda's limit for what a synchronous call may carry, in bytes. */
export const PAYLOAD_LIMIT = 6 * 1024 * 1024;

/** A request as a Lambda Function URL (payload format 2.0) hands it to a function. */
export type FunctionEvent = {
  version: "2.0";
  routeKey: "$default";
  /** Percent-encoded as it came, without the query. */
  rawPath: string;
  rawQueryString: string;
  cookies: string[];
  headers: Record<string, string>;
  requestContext: {
    accountId: string;
    apiId: string;
    domainName: string;
    http: { method: string; path: string; protocol: string; sourceIp: string; userAgent: string };
    requestId: string;
    routeKey: "$default";
    stage: "$default";
    timeEpoch: number;
  };
  body?: string;
  isBase64Encoded: boolean;
};

/** Splits a request's target into its path and its query, neither decoded. */
export function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf("?");
  return at < 0 ? { path: target, query: "" } : { path: target.slice(0, at), query: target.slice(at + 1) };
}

/** The part of a request that an event is made from. */
export type Asked = Pick<IncomingMessage, "url" | "method" | "headers" | "httpVersion"> & {
  readonly socket: { readonly remoteAddress?: string | undefined };
};

/**
 * Makes the event for one request.
 * `x-forwarded-host` is always the Host that the client asked for: on AWS the CDN's viewer-request function sets it,
 * because Host itself must name the Function URL.
 */
export function functionEvent(request: Asked, body: Buffer, secure: boolean, requestId: string, now: number): FunctionEvent {
  const { path, query } = splitTarget(request.url ?? "/");
  const method = request.method ?? "GET";
  const host = request.headers.host ?? "localhost";
  const sourceIp = request.socket.remoteAddress ?? "127.0.0.1";
  const forwardedFor = request.headers["x-forwarded-for"];
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: query,
    cookies: (request.headers.cookie ?? "").split(/; */).filter((cookie) => cookie !== "" && !cookie.startsWith(SESSION_COOKIE)),
    headers: {
      ...forwarded(request),
      host,
      "x-forwarded-host": host,
      "x-forwarded-proto": secure ? "https" : "http",
      "x-forwarded-for": forwardedFor ? `${forwardedFor}, ${sourceIp}` : sourceIp,
    },
    requestContext: {
      accountId: "anonymous",
      apiId: "edge",
      domainName: host.replace(/:\d+$/, ""),
      http: { method, path, protocol: `HTTP/${request.httpVersion}`, sourceIp, userAgent: request.headers["user-agent"] ?? "" },
      requestId,
      routeKey: "$default",
      stage: "$default",
      timeEpoch: now,
    },
    ...encoded(body, request.headers["content-type"]),
  };
}

/** The client's headers without cookies, which have a field of their own, and without those of the connection. */
function forwarded({ headers }: Asked): Record<string, string> {
  const named = new Set((headers.connection ?? "").toLowerCase().split(/ *, */));
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === "cookie" || named.has(name) || !passes(name)) continue;
    kept[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return kept;
}

/** Text stays text, everything else is base64; so is "text" that is not UTF-8, which a string would mangle. */
function encoded(body: Buffer, contentType = ""): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  const text = /^(text\/|application\/(json|xml|javascript|x-www-form-urlencoded|[\w.-]+\+(json|xml))\b)/i.test(contentType);
  return text && isUtf8(body)
    ? { body: body.toString("utf8"), isBase64Encoded: false }
    : { body: body.toString("base64"), isBase64Encoded: true };
}
