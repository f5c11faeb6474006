import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { ORIGIN_HEADER } from "../../blueprint/site-resources.ts";
import { type FunctionRole, kindOf, type PublishedFunction } from "../../domain/deployment/shapes.ts";
import { checkPathBelow } from "./asset-paths.ts";
import { isRefusal } from "./guard.ts";
import { PreludeRefused, readPrelude } from "./streamed-answer.ts";

/** What a function is asked to see whether it works, and how its answer is judged. */
export type Probe = { readonly payload: unknown; readonly path?: string };

/** Where an app is: the host of its site, the path to check there, and the app's basePath without slashes at its ends. */
export type At = Pick<SiteConfig, "host" | "checkPath" | "originKeys"> & { readonly base: string };

export const atOf = ({ host, checkPath, originKeys }: SiteConfig, base: string): At => ({ host, checkPath, originKeys, base });

/**
 * A request that changes nothing: the server's check path with the real host, the first path of a split function, an image
 * without parameters (a working optimiser says 400), a revalidation without messages.
 *
 * @param now milliseconds since 1970
 */
export const probeOf = ({ role, patterns }: Pick<PublishedFunction, "role" | "patterns">, at: At, now: number): Probe => {
  const kind = kindOf(role);
  if (kind === "revalidation") return { payload: { Records: [] } };
  if (kind === "image") return pageProbe(IMAGE_PATH, at, now);
  return pageProbe(checkPathBelow(at.base, patterns === undefined ? at.checkPath : literalPathOf(patterns)), at, now);
};

const IMAGE_PATH = "/_next/image";
const AGENT = "shiplog-check";

/**
 * Whether a payload is the probe of an image function. OpenNext writes an error for each request that it answers with 400,
 * and for this one nothing is wrong: who shows output to a person leaves it out where the answer is the expected one.
 */
export const isImageProbe = (payload: string): boolean => {
  if (!payload.includes(AGENT)) return false;
  const { rawPath, rawQueryString, headers } = (parsed(payload) ?? {}) as Partial<ReturnType<typeof urlEvent>>;
  return rawPath === IMAGE_PATH && rawQueryString === "" && headers?.["user-agent"] === AGENT;
};

/** Whether this is what a working image function answers to its probe. */
export const isImageAnswer = (payload: string): boolean => headOf(payload).statusCode === 400;

/** The request of a visitor who looks at a page, as the edge sends it. */
export const pageProbe = (path: string, at: Pick<At, "host" | "originKeys">, now: number) => ({ path, payload: urlEvent(path, at, now) });

/** What of the first pattern stands before its wildcards: `/api` of `api/*`. Nothing, or another function's page, may be there. */
const literalPathOf = ([first = ""]: readonly string[]): string => `/${first.replace(/[*?].*$/s, "")}`.replace(/(?<=.)\/$/, "");

/** `final`: it will never answer a visitor, whatever else is mended. */
type Verdict = { readonly status?: number; readonly fault?: string; readonly final?: true };

/**
 * Why the answer is not one of a working function; `undefined` where it is. Also gives the HTTP status, where there is one.
 * Of a split function any status is one: it knows the names of all pages and has the code of its own, so what it is asked for
 * may be another's, and that is 500.
 */
export const judge = (role: FunctionRole, answer: { failed: string | null; payload: string }): Verdict => {
  if (answer.failed !== null) return { fault: `it failed (${answer.failed}): ${messageOf(answer.payload)}` };
  if (role === "revalidation") return {};
  const { statusCode: status, headers } = headOf(answer.payload);
  if (isRefusal(headers)) return { fault: KEY_UNKNOWN, final: true };
  if (status === undefined) return { fault: "it gave no HTTP status: is the bundle an OpenNext one?" };
  if (role !== kindOf(role)) return { status };
  return status >= 500 ? { status, fault: `it answered ${status}` } : { status };
};

type Answer = { readonly version: string; readonly failed: string | null; readonly payload: string };
type Invoke = (name: string, version: string, payload: unknown) => Promise<Answer>;

/** A cold start may fail once where the machine is busy; a broken bundle does so every time. */
const TRIES = 2;

/**
 * Asks one version until it answers as a working function does, a second time at most: one rule for what is published and
 * for what goes live. Gives the last answer with its status and fault.
 *
 * @param now milliseconds since 1970
 */
export const probeVersion = async (
  invoke: Invoke,
  published: Pick<PublishedFunction, "role" | "name" | "version" | "patterns">,
  at: At,
  now: number,
): Promise<Verdict & { path?: string; payload: string }> => {
  const { role, name, version } = published;
  const { payload, path } = probeOf(published, at, now);
  for (let tries = 1; ; tries++) {
    const answer = await invoke(name, version, payload);
    const verdict = judge(role, answer);
    if (verdict.fault === undefined || verdict.final || tries === TRIES)
      return { ...(path !== undefined && { path }), ...verdict, payload: answer.payload };
  }
};

export const KEY_UNKNOWN =
  "it does not know the key of its edge: it was published before the key was replaced, so no visitor would reach it; deploy again";

type Head = { readonly statusCode?: number; readonly headers?: Readonly<Record<string, unknown>> };

/** Status and headers that a function returned, or, where it streams, of its prelude: Invoke gives the whole stream as it was written. */
const headOf = (payload: string): Head => {
  const whole = parsed(payload) as Head | null;
  return typeof whole?.statusCode === "number" ? whole : streamedHead(payload);
};

const streamedHead = (payload: string): Head => {
  try {
    const { statusCode, headers } = readPrelude(Buffer.from(payload))?.prelude ?? {};
    return { ...(statusCode !== undefined && { statusCode }), ...(headers && { headers }) };
  } catch (error) {
    if (error instanceof PreludeRefused) return {};
    throw error;
  }
};

const messageOf = (payload: string): string => {
  const message = (parsed(payload) as { errorMessage?: unknown } | null)?.errorMessage;
  return typeof message === "string" ? message.slice(0, 500) : "no message";
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** The event of a Function URL, version 2.0. */
const urlEvent = (target: string, { host, originKeys }: Pick<At, "host" | "originKeys">, now: number) => {
  const { pathname: path, search } = new URL(target, `https://${host}`);
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: search.slice(1),
    headers: {
      host,
      "x-forwarded-host": host,
      "x-forwarded-proto": "https",
      accept: "text/html",
      "user-agent": AGENT,
      ...(originKeys.length > 0 && { [ORIGIN_HEADER]: originKeys.join(",") }),
    },
    cookies: [],
    requestContext: {
      accountId: "anonymous",
      apiId: "shiplog",
      domainName: host,
      domainPrefix: "shiplog",
      http: { method: "GET", path, protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: AGENT },
      requestId: `check-${now}`,
      routeKey: "$default",
      stage: "$default",
      time: new Date(now).toISOString(),
      timeEpoch: now,
    },
    isBase64Encoded: false,
  };
};
