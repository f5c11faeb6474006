import type { z } from "zod";
import {
  type AddWebhook,
  AuditPage,
  type BeginSession,
  BuildLogs,
  DeadLetters,
  DeadLettersEmptied,
  Dora,
  DecidedLetter,
  History,
  JustDeployment,
  LogEvents,
  ManyDeliveries,
  ManyDeployments,
  ManyEnvironments,
  ManySessions,
  ManyVariables,
  ManyWebhooks,
  OneDeadLetter,
  OneDelivery,
  OneDeployment,
  OneEnvironment,
  OneSession,
  OneWebhook,
  PlannedRollback,
  PreparedSource,
  type RequestDeployment,
  type Rollback,
  RollbackStarted,
  Sealed,
  Seals,
  SessionWithSecret,
  type SetVariables,
  StreamEvents,
  VariablesChanged,
  VariableValues,
  WebhookWithSecret,
  WhoAsks,
  Why,
} from "./contract.ts";
import { type Caller, call, type Query, type Result, segment } from "./http.ts";

/** A command's key: the same key is the same command, however often it is sent. */
type Key = string;

/** The engine's HTTP API (contract.ts) as functions. Nothing is thrown: what went wrong is a value (http.ts). */
export type Client = ReturnType<typeof openClient>;

export function openClient(by: Caller) {
  const get = <S extends z.ZodType>(path: string, schema: S, query: Query = {}) => call(by, { method: "GET", path, query }, schema);
  const post = <S extends z.ZodType>(path: string, schema: S, body: unknown, key: Key, changes = true) =>
    call(by, { method: "POST", path, body, key, changes }, schema);
  const pathOf = (site: string, environment: string) => `environments/${segment(site)}/${segment(environment)}`;

  const hook = (id: string) => `webhooks/${segment(id)}`;

  return {
    url: by.url,
    /** `at`: as they were at that time or position */
    environments: (at?: string) => only(get("environments", ManyEnvironments, { at }), "environments"),
    environment: (site: string, environment: string, at?: string) =>
      only(get(pathOf(site, environment), OneEnvironment, { at }), "environment"),
    environmentEvents: (site: string, environment: string, after: number) =>
      get(`${pathOf(site, environment)}/events`, StreamEvents, { after }),

    prepareSource: (site: string, sha256: string, bytes: number, key: Key) =>
      post("sources", PreparedSource, { site, sha256, bytes }, key, false),
    deploy: (request: z.input<typeof RequestDeployment>, key: Key) => only(post("deployments", JustDeployment, request, key), "deployment"),
    deployments: (query: Query) => only(get("deployments", ManyDeployments, query), "deployments"),
    deployment: (id: string, at?: string) => get(`deployments/${segment(id)}`, OneDeployment, { at }),
    deploymentEvents: (id: string, after: number) => get(`deployments/${segment(id)}/events`, StreamEvents, { after }),
    logs: (id: string, next: string | undefined) => get(`deployments/${segment(id)}/logs`, BuildLogs, { next }),
    cancel: (id: string, reason: string | undefined, key: Key) =>
      only(post(`deployments/${segment(id)}/cancel`, JustDeployment, { reason }, key), "deployment"),
    retry: (id: string, reason: string | undefined, key: Key) =>
      only(post(`deployments/${segment(id)}/retry`, JustDeployment, { reason }, key), "deployment"),

    /** what a rollback would do; nothing is changed */
    rollbackPlan: (site: string, environment: string, to?: string) => get(`${pathOf(site, environment)}/rollback`, PlannedRollback, { to }),
    rollback: (site: string, environment: string, body: z.input<typeof Rollback>, key: Key) =>
      post(`${pathOf(site, environment)}/rollback`, RollbackStarted, body, key),
    /** `verb`: pin, unpin, lock or unlock */
    change: (site: string, environment: string, verb: "pin" | "unpin" | "lock" | "unlock", body: object, key: Key) =>
      only(post(`${pathOf(site, environment)}/${verb}`, OneEnvironment, body, key), "environment"),

    /** names and what is known of them, never values */
    variables: (site: string, environment: string) => get(`${pathOf(site, environment)}/variables`, ManyVariables),
    setVariables: (site: string, environment: string, values: z.input<typeof SetVariables>["values"], key: Key) =>
      call(by, { method: "PUT", path: `${pathOf(site, environment)}/variables`, body: { values }, key, changes: true }, VariablesChanged),
    removeVariable: (site: string, environment: string, name: string, key: Key) =>
      call(by, { method: "DELETE", path: `${pathOf(site, environment)}/variables/${segment(name)}`, key, changes: true }, VariablesChanged),
    /** the values, of which the log then has that they were read */
    readVariables: (site: string, environment: string, key: Key) =>
      only(post(`${pathOf(site, environment)}/variables/read`, VariableValues, {}, key), "values"),

    /** what was live, newest first; `before`: the `next` of the page before */
    history: (site: string, environment: string, query: Query) => get(`${pathOf(site, environment)}/history`, History, query),
    why: (site: string, environment: string, at: string | undefined) => get(`${pathOf(site, environment)}/why`, Why, { at }),
    audit: (query: Query) => get("audit", AuditPage, query),
    /** the four DORA figures of a period */
    dora: (query: Query) => get("dora", Dora, query),
    /** a page of the seals behind that number */
    seals: (after = 0) => get("seals", Seals, { after }),
    seal: (key: Key) => only(post("seals", Sealed, {}, key), "sealed"),

    webhooks: () => only(get("webhooks", ManyWebhooks), "webhooks"),
    webhook: (id: string) => only(get(hook(id), OneWebhook), "webhook"),
    addWebhook: (request: z.input<typeof AddWebhook>, key: Key) => post("webhooks", WebhookWithSecret, request, key),
    rotateWebhook: (id: string, key: Key) => post(`${hook(id)}/rotate`, WebhookWithSecret, {}, key),
    changeWebhook: (id: string, verb: "enable" | "remove", body: { reason?: string | undefined }, key: Key) =>
      only(post(`${hook(id)}/${verb}`, OneWebhook, body, key), "webhook"),
    testWebhook: (id: string, key: Key) => only(post(`${hook(id)}/test`, OneDelivery, {}, key), "delivery"),
    deliveries: (id: string, limit: number) => only(get(`${hook(id)}/deliveries`, ManyDeliveries, { limit }), "deliveries"),
    delivery: (id: string, delivery: string) => only(get(`${hook(id)}/deliveries/${segment(delivery)}`, OneDelivery), "delivery"),
    redeliver: (id: string, delivery: string, key: Key) =>
      only(post(`${hook(id)}/deliveries/${segment(delivery)}/redeliver`, OneDelivery, {}, key), "delivery"),

    /** who asks, and what they may do */
    caller: () => only(get("caller", WhoAsks), "caller"),
    /** those that go on, newest first */
    sessions: () => only(get("sessions", ManySessions), "sessions"),
    beginSession: (kind: NonNullable<z.input<typeof BeginSession>["kind"]>, key: Key) => post("sessions", SessionWithSecret, { kind }, key),
    endSession: (id: string, reason: string | undefined, key: Key) =>
      only(post(`sessions/${segment(id)}/end`, OneSession, { reason }, key), "session"),

    log: (query: Query) => get("events", LogEvents, query),
    deadLetters: () => get("dead-letters", DeadLetters),
    deadLetter: (id: string) => only(get(`dead-letters/${segment(id)}`, OneDeadLetter), "letter"),
    settleLetter: (id: string, verb: "redrive" | "drop", body: { reason?: string | undefined }, key: Key) =>
      only(post(`dead-letters/${segment(id)}/${verb}`, DecidedLetter, body, key), "letter"),
    /** the pages that a site could not confirm */
    emptyDeadLetters: (site: string, environment: string, key: Key) =>
      only(post("dead-letters/empty", DeadLettersEmptied, { site, environment }, key), "emptied"),
  };
}

/** One field of an answer. */
const only = async <T, K extends keyof T>(answer: Promise<Result<T>>, field: K): Promise<Result<T[K]>> => {
  const result = await answer;
  return result.ok ? { ok: true, value: result.value[field] } : result;
};
