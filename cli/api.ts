import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import {
  type AddWebhook,
  ApiError,
  AuditPage,
  BuildLogs,
  History,
  LogEvents,
  ManyDeliveries,
  ManyDeployments,
  ManyEnvironments,
  ManyWebhooks,
  OneDelivery,
  OneDeployment,
  OneEnvironment,
  OneWebhook,
  PlannedRollback,
  PreparedSource,
  Quarantine,
  type RequestDeployment,
  type Rollback,
  RollbackStarted,
  Sealed,
  Seals,
  StreamEvents,
  WebhookWithSecret,
  Why,
} from "../client/contract.ts";
import type { Connection } from "./connection.ts";
import { CliError, exit, usageError } from "./failure.ts";

type Query = Readonly<Record<string, string | number | undefined>>;
/** A command's key: the same key is the same command, however often it is sent. */
type Key = string;

/** The engine's HTTP API (client/contract.ts) as functions. Every error is a `CliError` with the exit code it leads to. */
export type Api = ReturnType<typeof openApi>;

const DEPLOYMENT = OneDeployment.pick({ deployment: true });
const ENVIRONMENT = OneEnvironment;

export function openApi(connection: Connection, actor: string, signal: AbortSignal) {
  const get = <S extends z.ZodType>(path: string, schema: S, query: Query = {}) =>
    call(connection, actor, signal, { method: "GET", path, query }, schema);
  const post = <S extends z.ZodType>(path: string, schema: S, body: unknown, key: Key, changes = true) =>
    call(connection, actor, signal, { method: "POST", path, body, key, changes }, schema);
  const place = (site: string, environment: string) => `environments/${segment(site)}/${segment(environment)}`;

  const hook = (id: string) => `webhooks/${segment(id)}`;

  return {
    url: connection.url,
    /** `at`: as they were at that time or position */
    environments: async (at?: string) => (await get("environments", ManyEnvironments, { at })).environments,
    environment: async (site: string, environment: string) => (await get(place(site, environment), ENVIRONMENT)).environment,
    environmentEvents: (site: string, environment: string, after: number) =>
      get(`${place(site, environment)}/events`, StreamEvents, { after }),

    prepareSource: (site: string, sha256: string, bytes: number, key: Key) =>
      post("sources", PreparedSource, { site, sha256, bytes }, key, false),
    deploy: async (request: z.input<typeof RequestDeployment>, key: Key) =>
      (await post("deployments", DEPLOYMENT, request, key)).deployment,
    deployments: async (query: Query) => (await get("deployments", ManyDeployments, query)).deployments,
    deployment: (id: string, at?: string) => get(`deployments/${segment(id)}`, OneDeployment, { at }),
    deploymentEvents: (id: string, after: number) => get(`deployments/${segment(id)}/events`, StreamEvents, { after }),
    logs: (id: string, next: string | undefined) => get(`deployments/${segment(id)}/logs`, BuildLogs, { next }),
    cancel: async (id: string, reason: string | undefined, key: Key) =>
      (await post(`deployments/${segment(id)}/cancel`, DEPLOYMENT, { reason }, key)).deployment,
    retry: async (id: string, reason: string | undefined, key: Key) =>
      (await post(`deployments/${segment(id)}/retry`, DEPLOYMENT, { reason }, key)).deployment,

    /** what a rollback would do; nothing is changed */
    rollbackPlan: (site: string, environment: string, to?: string) => get(`${place(site, environment)}/rollback`, PlannedRollback, { to }),
    rollback: (site: string, environment: string, body: z.input<typeof Rollback>, key: Key) =>
      post(`${place(site, environment)}/rollback`, RollbackStarted, body, key),
    /** `verb`: pin, unpin, lock or unlock */
    change: async (site: string, environment: string, verb: "pin" | "unpin" | "lock" | "unlock", body: object, key: Key) =>
      (await post(`${place(site, environment)}/${verb}`, ENVIRONMENT, body, key)).environment,

    /** what was live, newest first; `before`: the `next` of the page before */
    history: (site: string, environment: string, query: Query) => get(`${place(site, environment)}/history`, History, query),
    why: (site: string, environment: string, at: string | undefined) => get(`${place(site, environment)}/why`, Why, { at }),
    audit: (query: Query) => get("audit", AuditPage, query),
    /** a page of the seals behind that number */
    seals: (after = 0) => get("seals", Seals, { after }),
    seal: async (key: Key) => (await post("seals", Sealed, {}, key)).sealed,

    webhooks: async () => (await get("webhooks", ManyWebhooks)).webhooks,
    webhook: async (id: string) => (await get(hook(id), OneWebhook)).webhook,
    addWebhook: (request: z.input<typeof AddWebhook>, key: Key) => post("webhooks", WebhookWithSecret, request, key),
    rotateWebhook: (id: string, key: Key) => post(`${hook(id)}/rotate`, WebhookWithSecret, {}, key),
    changeWebhook: async (id: string, verb: "enable" | "remove", body: { reason?: string | undefined }, key: Key) =>
      (await post(`${hook(id)}/${verb}`, OneWebhook, body, key)).webhook,
    testWebhook: async (id: string, key: Key) => (await post(`${hook(id)}/test`, OneDelivery, {}, key)).delivery,
    deliveries: async (id: string, limit: number) => (await get(`${hook(id)}/deliveries`, ManyDeliveries, { limit })).deliveries,
    delivery: async (id: string, delivery: string) => (await get(`${hook(id)}/deliveries/${segment(delivery)}`, OneDelivery)).delivery,
    redeliver: async (id: string, delivery: string, key: Key) =>
      (await post(`${hook(id)}/deliveries/${segment(delivery)}/redeliver`, OneDelivery, {}, key)).delivery,

    log: (query: Query) => get("events", LogEvents, query),
    quarantine: async () => (await get("quarantine", Quarantine)).letters,
  };
}

type Call = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly key?: Key;
  readonly changes?: boolean;
};

/** Waits before the second and the third try, in ms. A repeated command carries the same key, so it is the same command. */
const RETRIES = [250, 1_000];
const TIMEOUT_MS = 30_000;

async function call<S extends z.ZodType>(
  connection: Connection,
  actor: string,
  signal: AbortSignal,
  request: Call,
  schema: S,
): Promise<z.infer<S>> {
  signal.throwIfAborted();
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(connection, actor, signal, request, schema);
    } catch (error) {
      const wait = RETRIES[attempt];
      if (!signal.aborted && wait !== undefined && isPassing(error)) await sleep(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted && request.changes) throw onItsWay();
      if (signal.aborted) throw signal.reason;
      if (wait === undefined || !isPassing(error)) throw error;
    }
  }
}

/** Ctrl-C after a command was sent and before its answer: nobody here knows whether it was carried out. */
const onItsWay = (): CliError =>
  new CliError(exit.interrupted, "interrupted", "Interrupted while the request was on its way: the engine may have carried it out.", {
    next: "See whether it did:  shiplog status, shiplog list",
  });

/** True for what may be gone when asked again: no connection, or a fault of the server. */
export const isPassing = (error: unknown): boolean =>
  error instanceof CliError && (error.code === "unreachable" || error.code === "server.fault");

async function once<S extends z.ZodType>(
  connection: Connection,
  actor: string,
  signal: AbortSignal,
  { method, path, query = {}, body, key }: Call,
  schema: S,
): Promise<z.infer<S>> {
  const url = new URL(`v1/${path}`, `${connection.url.replace(/\/+$/, "")}/`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));

  const headers: Record<string, string> = {
    authorization: `Bearer ${connection.token}`,
    "x-shiplog-actor": actor,
    "x-shiplog-client": "cli",
    accept: "application/json",
  };
  if (key !== undefined) headers["idempotency-key"] = key;
  if (body !== undefined) headers["content-type"] = "application/json";

  let status: number;
  let text: string;
  try {
    const answer = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    status = answer.status;
    text = await answer.text();
  } catch (error) {
    if (signal.aborted) throw error;
    throw unreachable(connection, error);
  }

  if (status >= 400) throw refused(connection, status, text);
  const parsed = schema.safeParse(json(text));
  if (parsed.success) return parsed.data;
  throw new CliError(exit.unexpected, "server.strange", `${connection.url} answered ${method} /v1/${path} with something unexpected.`, {
    next: `Check that ${connection.source} names a Shiplog API, and that this CLI and the engine are of the same version.`,
    cause: parsed.error,
  });
}

function unreachable({ url, source }: Connection, error: unknown): CliError {
  const { name, message, cause: inner } = error as Error & { cause?: { code?: string; message?: string } };
  const cause = name === "TimeoutError" ? name : (inner?.code ?? inner?.message ?? message);
  const why = cause === "TimeoutError" ? `no answer within ${TIMEOUT_MS / 1_000} seconds` : cause;
  return new CliError(exit.unexpected, "unreachable", `Shiplog at ${url} cannot be reached (${why}).`, {
    next:
      source === "SHIPLOG_URL" ? "Check SHIPLOG_URL and the network." : `Is it running? ${source} names it: start \`shiplog dev\` again.`,
    cause: error,
  });
}

/** What an error of the API means to the person at the terminal. */
function refused({ source }: Connection, status: number, text: string): CliError {
  const parsed = ApiError.safeParse(json(text));
  const { code, message, candidates } = parsed.success
    ? parsed.data.error
    : { code: `http.${status}`, message: `The server answered ${status}.`, candidates: undefined };

  if (code === "host.unknown" || code === "origin.refused") return new CliError(exit.unauthorised, code, message);
  if (status === 401 || status === 403)
    return new CliError(exit.unauthorised, code, message, {
      next: source === "SHIPLOG_URL" ? "Check SHIPLOG_TOKEN." : `The token in ${source} is not accepted: start \`shiplog dev\` again.`,
    });
  if (code === "id.ambiguous")
    return new CliError(exit.usage, code, message, {
      next: `Give more characters of the id${candidates === undefined ? "." : `: ${candidates.join(", ")}`}`,
    });
  if (code === "stream.broken" || code === "seal.broken")
    return new CliError(exit.failed, code, message, { next: "Find every such place with:  shiplog audit verify" });
  if (status === 409) return new CliError(exit.conflict, code, message);
  if (status === 429 || status >= 500)
    return new CliError(exit.unexpected, "server.fault", `Shiplog could not do this: ${message}`, {
      next: "Try again; if it stays, look at the engine's log.",
    });
  return new CliError(exit.usage, code, message);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A path segment that cannot leave its place. @throws CliError (usage) where it is empty: the path would be another one */
function segment(text: string): string {
  if (text.trim() === "") throw usageError("An id or a name is empty.", "Is a variable in the command not set?");
  return encodeURIComponent(text).replace(/^\.+$/, "_");
}
