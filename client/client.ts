import type { z } from "zod";
import type { HealthPart } from "../domain/projections/engine-health.ts";
import {
  type AddSubscription,
  type AddWebhook,
  AuditPage,
  type BeginSession,
  BuildLogs,
  DeadLetters,
  DeadLettersEmptied,
  DecidedLetter,
  Dora,
  EngineHealth,
  History,
  JustDeployment,
  LogEvents,
  ManyDeliveries,
  ManyDeployments,
  ManyEnvironments,
  ManyPeople,
  ManySessions,
  ManySubscriptions,
  ManyVariables,
  ManyWebhooks,
  NewestSeal,
  OneComparison,
  OneDeadLetter,
  OneDelivery,
  OneDeployment,
  OneEnvironment,
  OneSession,
  OneSubscription,
  OneWebhook,
  PersonGone,
  PlannedRollback,
  PlannedSweep,
  PreparedSource,
  type RequestDeployment,
  type ResetSubscription,
  type Rollback,
  RollbackStarted,
  Sealed,
  Seals,
  SessionWithSecret,
  type SetVariables,
  StreamEvents,
  SubscriptionWithSecret,
  SweepAsked,
  VariablesChanged,
  VariableValues,
  WebhookWithSecret,
  WhoAsks,
  Why,
} from "./contract.ts";
import { type Caller, call, type Query, type Result, segment } from "./http.ts";

/** A command's key: the same key is the same command, however often it is sent. */
type Key = string;

/** One field of an answer. */
const only = async <T, K extends keyof T>(answer: Promise<Result<T>>, field: K): Promise<Result<T[K]>> => {
  const result = await answer;
  return result.ok ? { ok: true, value: result.value[field] } : result;
};

/** How the functions ask. */
const callsOf = (by: Caller) => ({
  by,
  get: <S extends z.ZodType>(path: string, schema: S, query: Query = {}) => call(by, { method: "GET", path, query }, schema),
  post: <S extends z.ZodType>(path: string, schema: S, body: unknown, key: Key, changes = true) =>
    call(by, { method: "POST", path, body, key, changes }, schema),
});
type Calls = ReturnType<typeof callsOf>;

const pathOf = (site: string, environment: string) => `environments/${segment(site)}/${segment(environment)}`;
const subscribed = (id: string) => `subscriptions/${segment(id)}`;
const hook = (id: string) => `webhooks/${segment(id)}`;

/** Environments as they are, or were. */
const environments = ({ get }: Calls) => ({
  /** `at`: as they were at that time or position */
  environments: (at?: string) => only(get("environments", ManyEnvironments, { at }), "environments"),
  environment: (site: string, environment: string, at?: string) =>
    only(get(pathOf(site, environment), OneEnvironment, { at }), "environment"),
  environmentEvents: (site: string, environment: string, after: number) =>
    get(`${pathOf(site, environment)}/events`, StreamEvents, { after }),
});

/** Sources, deployments, and what builds say. */
const deployments = ({ get, post }: Calls) => ({
  prepareSource: (site: string, sha256: string, bytes: number, key: Key) =>
    post("sources", PreparedSource, { site, sha256, bytes }, key, false),
  deploy: (request: z.input<typeof RequestDeployment>, key: Key) => only(post("deployments", JustDeployment, request, key), "deployment"),
  deployments: (query: Query) => only(get("deployments", ManyDeployments, query), "deployments"),
  /** with `next`, the id from which on there are older ones */
  deploymentPage: (query: Query) => get("deployments", ManyDeployments, query),
  deployment: (id: string, at?: string) => get(`deployments/${segment(id)}`, OneDeployment, { at }),
  deploymentEvents: (id: string, after: number) => get(`deployments/${segment(id)}/events`, StreamEvents, { after }),
  logs: (id: string, next: string | undefined) => get(`deployments/${segment(id)}/logs`, BuildLogs, { next }),
  /** what is different in `to` */
  compare: (from: string, to: string) => only(get(`deployments/${segment(from)}/compare/${segment(to)}`, OneComparison), "comparison"),
  cancel: (id: string, reason: string | undefined, key: Key) =>
    only(post(`deployments/${segment(id)}/cancel`, JustDeployment, { reason }, key), "deployment"),
  retry: (id: string, reason: string | undefined, key: Key) =>
    only(post(`deployments/${segment(id)}/retry`, JustDeployment, { reason }, key), "deployment"),
});

/** What can be done with an environment. */
const changes = ({ get, post }: Calls) => ({
  /** what a rollback would do; nothing is changed */
  rollbackPlan: (site: string, environment: string, to?: string) => get(`${pathOf(site, environment)}/rollback`, PlannedRollback, { to }),
  rollback: (site: string, environment: string, body: z.input<typeof Rollback>, key: Key) =>
    post(`${pathOf(site, environment)}/rollback`, RollbackStarted, body, key),
  /** nobody is sent to the release of this deployment any more */
  cutRelease: (site: string, environment: string, deployment: string, reason: string | undefined, key: Key) =>
    only(post(`${pathOf(site, environment)}/releases/${segment(deployment)}/cut`, OneEnvironment, { reason }, key), "environment"),
  /** `verb`: keep, whatever the rules say; unkeep leaves it to the rules again */
  keepRelease: (site: string, environment: string, deployment: string, verb: "keep" | "unkeep", reason: string | undefined, key: Key) =>
    only(post(`${pathOf(site, environment)}/releases/${segment(deployment)}/${verb}`, OneEnvironment, { reason }, key), "environment"),
  /** what stays and what goes; nothing is changed. `explain`: also why one thing does */
  sweepPlan: (site: string, environment: string, explain?: string) => get(`${pathOf(site, environment)}/sweep`, PlannedSweep, { explain }),
  /** asks for the next step of the sweep */
  sweep: (site: string, environment: string, key: Key) => post(`${pathOf(site, environment)}/sweep`, SweepAsked, {}, key),
  /** `verb`: pin, unpin, lock or unlock */
  change: (site: string, environment: string, verb: "pin" | "unpin" | "lock" | "unlock", body: object, key: Key) =>
    only(post(`${pathOf(site, environment)}/${verb}`, OneEnvironment, body, key), "environment"),
});

/** Values of variables. */
const variables = ({ by, get, post }: Calls) => ({
  /** names and what is known of them, never values */
  variables: (site: string, environment: string) => get(`${pathOf(site, environment)}/variables`, ManyVariables),
  setVariables: (site: string, environment: string, values: z.input<typeof SetVariables>["values"], key: Key) =>
    call(by, { method: "PUT", path: `${pathOf(site, environment)}/variables`, body: { values }, key, changes: true }, VariablesChanged),
  removeVariable: (site: string, environment: string, name: string, key: Key) =>
    call(by, { method: "DELETE", path: `${pathOf(site, environment)}/variables/${segment(name)}`, key, changes: true }, VariablesChanged),
  /** the values, of which the log then has that they were read */
  readVariables: (site: string, environment: string, key: Key) =>
    only(post(`${pathOf(site, environment)}/variables/read`, VariableValues, {}, key), "values"),
});

/** What was live, why, and what is sealed. */
const trail = ({ get, post }: Calls) => ({
  /** what was live, newest first; `before`: the `next` of the page before */
  history: (site: string, environment: string, query: Query) => get(`${pathOf(site, environment)}/history`, History, query),
  why: (site: string, environment: string, at: string | undefined) => get(`${pathOf(site, environment)}/why`, Why, { at }),
  audit: (query: Query) => get("audit", AuditPage, query),
  /** the four DORA figures of a period */
  dora: (query: Query) => get("dora", Dora, query),
  /** a page of the seals behind that number */
  seals: (after = 0) => get("seals", Seals, { after }),
  newestSeal: () => get("seals/newest", NewestSeal),
  seal: (key: Key) => only(post("seals", Sealed, {}, key), "sealed"),
});

/** Endpoints and what is sent to them. */
const webhooks = ({ get, post }: Calls) => ({
  webhooks: () => only(get("webhooks", ManyWebhooks), "webhooks"),
  webhook: (id: string) => only(get(hook(id), OneWebhook), "webhook"),
  webhookHealth: (id: string) => get(hook(id), OneWebhook),
  addWebhook: (request: z.input<typeof AddWebhook>, key: Key) => post("webhooks", WebhookWithSecret, request, key),
  rotateWebhook: (id: string, key: Key) => post(`${hook(id)}/rotate`, WebhookWithSecret, {}, key),
  changeWebhook: (id: string, verb: "enable" | "remove", body: { reason?: string | undefined }, key: Key) =>
    only(post(`${hook(id)}/${verb}`, OneWebhook, body, key), "webhook"),
  testWebhook: (id: string, key: Key) => only(post(`${hook(id)}/test`, OneDelivery, {}, key), "delivery"),
  deliveries: (id: string, limit: number) => only(get(`${hook(id)}/deliveries`, ManyDeliveries, { limit }), "deliveries"),
  delivery: (id: string, delivery: string) => only(get(`${hook(id)}/deliveries/${segment(delivery)}`, OneDelivery), "delivery"),
  redeliver: (id: string, delivery: string, key: Key) =>
    only(post(`${hook(id)}/deliveries/${segment(delivery)}/redeliver`, OneDelivery, {}, key), "delivery"),
});

/** Receivers that are told the log from a place of their own. */
const subscriptions = ({ get, post }: Calls) => ({
  subscriptions: () => only(get("subscriptions", ManySubscriptions), "subscriptions"),
  subscription: (id: string) => only(get(subscribed(id), OneSubscription), "subscription"),
  addSubscription: (request: z.input<typeof AddSubscription>, key: Key) => post("subscriptions", SubscriptionWithSecret, request, key),
  changeSubscription: (id: string, verb: "pause" | "resume", body: { reason?: string | undefined }, key: Key) =>
    only(post(`${subscribed(id)}/${verb}`, OneSubscription, body, key), "subscription"),
  resetSubscription: (id: string, body: z.input<typeof ResetSubscription>, key: Key) =>
    only(post(`${subscribed(id)}/reset`, OneSubscription, body, key), "subscription"),
});

/** Who asks, and who is signed in. */
const sessions = ({ get, post }: Calls) => ({
  /** who asks, and what they may do */
  caller: () => only(get("caller", WhoAsks), "caller"),
  /** those that go on, newest first */
  sessions: () => only(get("sessions", ManySessions), "sessions"),
  beginSession: (kind: NonNullable<z.input<typeof BeginSession>["kind"]>, key: Key) => post("sessions", SessionWithSecret, { kind }, key),
  endSession: (id: string, reason: string | undefined, key: Key) =>
    only(post(`sessions/${segment(id)}/end`, OneSession, { reason }, key), "session"),
});

/** The log, and what no consumer could take. */
const log = ({ get, post }: Calls) => ({
  log: (query: Query) => get("events", LogEvents, query),
  /** whether the engine itself is well */
  engineHealth: (part?: HealthPart) => get("health/engine", EngineHealth, { part }),
  people: () => only(get("people", ManyPeople), "people"),
  forgetPerson: (id: string, reason: string | undefined, key: Key) =>
    only(post(`people/${segment(id)}/forget`, PersonGone, { reason }, key), "forgotten"),
  deadLetters: () => get("dead-letters", DeadLetters),
  deadLetter: (id: string) => only(get(`dead-letters/${segment(id)}`, OneDeadLetter), "letter"),
  settleLetter: (id: string, verb: "redrive" | "drop", body: { reason?: string | undefined }, key: Key) =>
    only(post(`dead-letters/${segment(id)}/${verb}`, DecidedLetter, body, key), "letter"),
  /** the pages that a site could not confirm */
  emptyDeadLetters: (site: string, environment: string, key: Key) =>
    only(post("dead-letters/empty", DeadLettersEmptied, { site, environment }, key), "emptied"),
});

/** The engine's HTTP API (contract.ts) as functions. Nothing is thrown: what went wrong is a value (http.ts). */
export type Client = ReturnType<typeof openClient>;

export const openClient = (by: Caller) => {
  const calls = callsOf(by);
  return {
    url: by.url,
    ...environments(calls),
    ...deployments(calls),
    ...changes(calls),
    ...variables(calls),
    ...trail(calls),
    ...webhooks(calls),
    ...subscriptions(calls),
    ...sessions(calls),
    ...log(calls),
  };
};
