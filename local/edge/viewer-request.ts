import type { IncomingMessage } from "node:http";
import { splitTarget } from "./function-event.ts";
import type { EventValue, EventValues, RouterEvent, RouterRequest } from "./router-runtime.ts";

/** A visitor's request, as far as an edge looks at it. `query` is as it came, without its question mark. */
export type ViewerRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** repeated ones between commas; cookies are one of them */
  readonly headers: Readonly<Record<string, string>>;
};

export const viewerRequest = ({ method = "GET", url = "/", headers }: IncomingMessage): ViewerRequest => ({
  method,
  ...splitTarget(url),
  headers: Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, [value].flat().join(", ")]])),
  ),
});

/** CloudFront keeps these from its functions. */
const HIDDEN =
  /^(connection|expect|keep-alive|proxy-.*|trailer|upgrade|te|x-accel-.*|x-cache|x-edge-.*|x-forwarded-proto|x-real-ip|cookie)$/;

/** The request as the event that CloudFront hands to its function on a viewer's request. */
export const routerEvent = (
  { method, path, query, headers }: ViewerRequest,
  { distribution, requestId, ip }: { readonly distribution: string; readonly requestId: string; readonly ip: string },
): RouterEvent => ({
  version: "1.0",
  context: {
    distributionDomainName: `${distribution.toLowerCase()}.cloudfront.net`,
    distributionId: distribution,
    eventType: "viewer-request",
    requestId,
  },
  viewer: { ip },
  request: {
    method,
    uri: path,
    querystring: grouped(query.split("&").filter((one) => one !== "")),
    headers: Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (HIDDEN.test(name) ? [] : [[name, { value }]]))),
    cookies: grouped(cookiesOf(headers)),
  },
});

/** What the router made of a request. What it left alone stays as it came, in its order. */
export const asRouted = (asked: ViewerRequest, event: RouterEvent, routed: RouterRequest): ViewerRequest => {
  const { cookie, ...hidden } = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => HIDDEN.test(name)));
  const cookies = isSame(routed.cookies, event.request.cookies) ? (cookie ?? "") : listed(routed.cookies).join("; ");
  return {
    method: asked.method,
    path: routed.uri,
    query: isSame(routed.querystring, event.request.querystring) ? asked.query : listed(routed.querystring).join("&"),
    headers: {
      ...hidden,
      ...Object.fromEntries(Object.entries(routed.headers).map(([name, one]) => [name, valuesOf(one).join(", ")])),
      ...(cookies !== "" && { cookie: cookies }),
    },
  };
};

export const cookiesOf = ({ cookie = "" }: ViewerRequest["headers"]): string[] => cookie.split(/; */).filter((one) => one !== "");

/** Names and values, in the order in which a name first came. */
const grouped = (pairs: readonly string[]): EventValues =>
  Object.fromEntries(
    [...Map.groupBy(pairs, (pair) => pair.split("=", 1)[0] ?? "")].map(([name, all]) => {
      const values = all.map((pair) => ({ value: pair.slice(name.length + 1) }));
      return [name, { value: values[0]?.value ?? "", ...(values.length > 1 && { multiValue: values }) }];
    }),
  );

const listed = (values: EventValues): string[] =>
  Object.entries(values).flatMap(([name, one]) => valuesOf(one).map((value) => `${name}=${value}`));

const valuesOf = ({ value, multiValue }: EventValue): string[] => multiValue?.map((one) => one.value) ?? [value];

const isSame = (one: EventValues, other: EventValues): boolean => JSON.stringify(one) === JSON.stringify(other);
