import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { z } from "zod";
import {
  BeginSession,
  CutRelease,
  EmptyDeadLetters,
  type HistoryEntry,
  ListDeployments,
  ListHistory,
  Lock,
  type ManyVariables,
  Pin,
  type PlannedRollback,
  PrepareSource,
  RequestDeployment,
  Rollback,
  SetVariables,
  Unlock,
  WithReason,
} from "../../../client/contract.ts";
import type { DeploymentView, EnvironmentView, Status } from "../../../domain/projections/views.ts";

export const TOKEN = "stub-token-that-must-never-be-shown";
export const SHA = "a".repeat(64);
export const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 23, 14, 0, 0) + seconds * 1_000).toISOString();
/** `deploymentId(7)` → `dep_01JABCDEFG0000000000000007` */
export const deploymentId = (number: number): string => `dep_01JABCDE${String(number).padStart(18, "0")}`;

export const release = (number: number) => ({
  id: deploymentId(number),
  functions: [{ role: "server" as const, name: "shiplog-web-production-server", version: String(number), codeSha256: "x", settings: "s" }],
  manifest: "m",
});

export const deploymentView = (number: number, over: Partial<DeploymentView> = {}): DeploymentView => ({
  id: deploymentId(number),
  site: "web",
  environment: "production",
  sequence: number,
  status: "queued",
  step: null,
  reason: null,
  actor: "alice (token default)",
  trigger: "cli",
  commit: { sha: "1234567890", message: "Fix the header", branch: "main" },
  why: null,
  retryOf: null,
  reusedFrom: null,
  buildId: null,
  logs: null,
  releaseId: null,
  artifact: null,
  release: null,
  variables: { built: null, published: null },
  warnings: [],
  swept: null,
  queuedAt: at(0),
  buildStartedAt: null,
  builtAt: null,
  endedAt: null,
  since: at(0),
  version: 1,
  ...over,
});

export const liveView = (number: number, sequence = number) => ({
  deploymentId: deploymentId(number),
  sequence,
  at: at(0),
  reason: "deploy" as const,
  actor: "alice (token default)",
  why: null as string | null,
  release: release(number),
});

type Planned = z.infer<typeof PlannedRollback>;
export type Plan = NonNullable<Planned["plan"]>;
/** From the second deployment back to the first. */
export const rollbackPlan = (over: Partial<Plan> = {}): Plan => ({
  from: { ...plannedRelease(2), goingLive: false },
  to: plannedRelease(1, { live: { since: at(-7_200), until: at(0), ms: 7_200_000 } }),
  already: null,
  skipped: [],
  caution: null,
  ...over,
});
export const plannedRelease = (number: number, over: Partial<Plan["to"]> = {}): Plan["to"] => ({
  deploymentId: deploymentId(number),
  sequence: number,
  commit: { sha: "1234567890", message: "Fix the header", author: "Ada" },
  actor: "alice (token default)",
  live: { since: at(0), until: null, ms: 60_000 },
  ...over,
});

/** A release with an address; until a time, or while it is live. */
export const routedView = (number: number, until: string | null, over: Partial<EnvironmentView["routes"][number]> = {}) => ({
  deploymentId: deploymentId(number),
  release: deploymentId(number),
  address: number,
  host: `abc${number}.lambda-url.eu-central-1.on.aws`,
  sequence: number,
  since: at(0),
  until,
  ended: null,
  ...over,
});

export type StubEnvironment = EnvironmentView & { url: string };
export const environmentView = (over: Partial<StubEnvironment> = {}): StubEnvironment => ({
  site: "web",
  environment: "production",
  sequence: 2,
  live: liveView(2),
  history: [liveView(1)],
  flipping: null,
  standing: [],
  takenDown: [],
  waiting: null,
  pin: null,
  lock: null,
  routes: [],
  kept: [],
  marked: null,
  swept: null,
  drifts: [],
  variables: {},
  warnings: [],
  version: 5,
  url: "https://web.example.com",
  ...over,
});

const sessionView = {
  id: `ses_${"0".repeat(26)}`,
  kind: "link" as const,
  token: "default",
  actor: "alice (token default)",
  origin: "",
  beganAt: at(0),
  until: at(60),
  ended: null,
  version: 1,
};

/** One event of a script: its type, its body, and when it was, in seconds. */
export type Scripted = readonly [type: string, body: object, seconds?: number];

const STATUS: Readonly<Record<string, Status>> = {
  BuildStarted: "building",
  BuildSucceeded: "built",
  ReleaseStarted: "deploying",
  DeploymentHeld: "held",
  CancelRequested: "cancelling",
  DeploymentSucceeded: "success",
  DeploymentFailed: "failed",
  DeploymentCancelled: "cancelled",
  DeploymentSuperseded: "superseded",
};

/**
 * An HTTP server with the shapes of the contract that plays a script: each time a stream is asked for, it has one more
 * event. Its state is open, so that a test says what is there and reads what was asked.
 */
export async function stubEngine() {
  const state = {
    environments: [environmentView()],
    planned: { plan: rollbackPlan(), refusal: null } as Planned,
    deployments: new Map<string, DeploymentView>(),
    /** what was live, newest first */
    history: [] as z.input<typeof HistoryEntry>[],
    /** events to come, one more with every question */
    script: [] as Scripted[],
    rollbackScript: [] as Scripted[],
    log: [] as Scripted[],
    logLines: [] as string[],
    /** the same lines, page after page: a log that no reader comes to the end of */
    endlessLog: false,
    /** values of variables, and what is told of them */
    values: {} as Record<string, string>,
    listed: [] as z.input<typeof ManyVariables>["variables"],
    isClosed: false,
    /** environments whose dead letters were emptied */
    emptied: [] as string[],
    /** deployments that one request looks through, where that is more than it may give */
    looks: 0,
    logPages: 0,
    progress: null as { step: string; done: number; total: number } | null,
    upload: true,
    uploads: [] as { bytes: number; headers: Record<string, string> }[],
    asked: [] as {
      method: string;
      path: string;
      key: string | undefined;
      actor: string | undefined;
      clientVersion?: string | undefined;
      body: unknown;
    }[],
    /** answers to give instead, by `METHOD path`; each is used once unless `always` */
    instead: new Map<string, { status: number; body: unknown; always?: boolean }>(),
    /** what is never answered, by `METHOD path` */
    hang: new Set<string>(),
    /** the version that it says it is of, with every answer */
    version: undefined as string | undefined,
    /** connections to cut before an answer, by `METHOD path` */
    cut: new Map<string, number>(),
  };
  const played = new Map<string, ReturnType<typeof recorded>[]>();

  const play = (stream: string, after: number, script: Scripted[]) => {
    const events = played.get(stream) ?? [];
    played.set(stream, events);
    const next = script.shift();
    if (next !== undefined) events.push(recorded(stream, events.length + 1 + (stream.startsWith("environment") ? 5 : 0), next));
    const id = stream.replace("deployment/", "");
    const view = state.deployments.get(id);
    if (next !== undefined && view !== undefined) {
      const body = next[1] as { reason?: string; step?: DeploymentView["step"]; sequence?: number };
      const status = STATUS[next[0]] ?? view.status;
      state.deployments.set(id, {
        ...view,
        status,
        version: events.length,
        reason: body.reason ?? view.reason,
        step: body.step ?? view.step,
      });
      const environment = state.environments[0];
      if (next[0] === "DeploymentSucceeded" && environment) environment.live = { ...liveView(view.sequence), deploymentId: id };
    }
    return { events: events.filter((event) => event.version > after), version: events.at(-1)?.version ?? after };
  };

  const app = new Hono();
  app.put("/upload", async (context) => {
    state.uploads.push({ bytes: (await context.req.arrayBuffer()).byteLength, headers: context.req.header() });
    return context.body(null, 200);
  });
  app.use("/v1/*", async (context, next) => {
    const { method, path } = context.req;
    if (state.version !== undefined) context.header("x-shiplog-version", state.version);
    const body: unknown = method === "POST" ? await context.req.json() : undefined;
    const sent = (name: string): string | undefined => context.req.header(name);
    const [key, actor, clientVersion] = [sent("idempotency-key"), sent("x-shiplog-actor"), sent("x-shiplog-client-version")];
    state.asked.push({ method, path, key, actor, clientVersion, body });
    const name = `${method} ${path}`;
    if (state.hang.has(name)) await new Promise(() => undefined);
    const cuts = state.cut.get(name) ?? 0;
    if (cuts > 0) {
      state.cut.set(name, cuts - 1);
      (context.env as { incoming: { socket: { destroy(): void } } }).incoming.socket.destroy();
    }
    if (context.req.header("authorization") !== `Bearer ${TOKEN}`) return problem(context, 401, "token.unknown", "The token is not known.");
    const instead = state.instead.get(name);
    if (instead === undefined) return next();
    if (!instead.always) state.instead.delete(name);
    return context.json(instead.body as object, instead.status as 200);
  });

  const find = (id: string) => {
    const found = [...state.deployments.values()].filter(
      (deployment) => deployment.id.startsWith(id) || deployment.id.startsWith(`dep_${id}`),
    );
    return found;
  };
  app.use("/v1/deployments/:id/*", async (context, next) => {
    const found = find(context.req.param("id"));
    if (found.length === 0) return problem(context, 404, "deployment.unknown", `There is no deployment ${context.req.param("id")}.`);
    if (found.length === 1) return next();
    const candidates = found.map(({ id }) => id);
    return context.json({ error: { code: "id.ambiguous", message: `"${context.req.param("id")}" begins several ids.`, candidates } }, 409);
  });

  app.get("/v1/environments", (context) => context.json({ environments: state.environments }));
  app.get("/v1/environments/:site/:environment", (context) => context.json({ environment: state.environments[0] }));
  app.get("/v1/environments/:site/:environment/events", (context) =>
    context.json(play("environment/web/production", Number(context.req.query("after")), state.rollbackScript)),
  );
  app.get("/v1/environments/:site/:environment/rollback", (context) => context.json(state.planned));
  app.get("/v1/environments/:site/:environment/history", (context) => {
    const { at, before, limit } = ListHistory.parse(context.req.query());
    const history = state.history.filter(({ since }) => at === undefined || since <= at);
    const older = history.slice(before === undefined ? 0 : history.length - before);
    const changes = older.slice(0, limit);
    return context.json({
      changes,
      next: older.length > limit ? history.length - (history.indexOf(older[0] as never) + limit) : null,
    });
  });
  app.post("/v1/environments/:site/:environment/rollback", async (context) => {
    const { to } = Rollback.parse(await context.req.json());
    return context.json(
      { sequence: 3, deploymentId: to, previous: deploymentId(2), alreadyLive: state.planned.plan?.already === "live", version: 5 },
      202,
    );
  });
  const change = (verb: string, check: { parse(body: unknown): unknown }) =>
    app.post(`/v1/environments/:site/:environment/${verb}`, async (context) => {
      check.parse(await context.req.json());
      return context.json({ environment: state.environments[0] });
    });
  change("pin", Pin);
  change("unpin", WithReason);
  change("releases/:deployment/cut", CutRelease);
  change("lock", Lock);
  change("unlock", Unlock);

  const listed = () => ({ live: state.environments[0]?.live?.deploymentId ?? null, variables: state.listed });
  app.get("/v1/environments/:site/:environment/variables", (context) => context.json(listed()));
  app.put("/v1/environments/:site/:environment/variables", async (context) => {
    const { values } = SetVariables.parse(await context.req.json());
    const changed = Object.keys(values).filter((name) => state.values[name] !== values[name]);
    Object.assign(state.values, values);
    return context.json({ changed, ...listed() });
  });
  app.delete("/v1/environments/:site/:environment/variables/:name", (context) =>
    context.json({ changed: delete state.values[context.req.param("name")] ? [context.req.param("name")] : [], ...listed() }),
  );
  app.post("/v1/environments/:site/:environment/variables/read", (context) =>
    state.isClosed
      ? context.json({ error: { code: "variables.closed", message: "The token ci may not read the values of web/production." } }, 403)
      : context.json({ values: state.values }),
  );

  app.post("/v1/sources", async (context) => {
    const { sha256, bytes } = PrepareSource.parse(await context.req.json());
    const upload = state.upload ? { url: `${url}/upload?X-Amz-Signature=secret`, headers: { "x-amz-checksum-sha256": "sum" } } : null;
    return context.json({ source: { key: `sources/web/${sha256}.zip`, sha256, bytes }, upload });
  });
  app.get("/v1/deployments", (context) => {
    const { ids, limit, before, status } = ListDeployments.parse(context.req.query());
    const all = [...state.deployments.values()].filter(({ id }) => (ids?.includes(id) ?? true) && (before === undefined || id < before));
    // as the engine, it looks through so many, and no more
    const looked = all.reverse().slice(0, ids === undefined ? Math.max(limit, state.looks) : 100);
    const deployments = looked.filter((view) => (status ?? view.status) === view.status).slice(0, ids === undefined ? limit : 100);
    return context.json({ deployments, next: ids === undefined && all.length > looked.length ? (looked.at(-1)?.id ?? null) : null });
  });
  app.post("/v1/deployments", async (context) => {
    RequestDeployment.parse(await context.req.json());
    const view = deploymentView(3);
    state.deployments.set(view.id, view);
    return context.json({ deployment: view }, 202);
  });
  app.get("/v1/deployments/:id/events", (context) => {
    const [view] = find(context.req.param("id"));
    return context.json(play(`deployment/${view?.id}`, Number(context.req.query("after")), state.script));
  });
  app.get("/v1/deployments/:id/logs", (context) => {
    const next = context.req.query("next");
    state.logPages += 1;
    const lines =
      next === undefined || state.endlessLog
        ? state.logLines.map((message, line) => ({ timestamp: Date.parse(at(2 + 2 * line)), message }))
        : [];
    return context.json({ lines, next: state.endlessLog ? `${state.logPages}` : "end", done: next !== undefined && !state.endlessLog });
  });
  app.post("/v1/deployments/:id/cancel", async (context) => {
    WithReason.parse(await context.req.json());
    return context.json({ deployment: { ...find(context.req.param("id"))[0], status: "cancelling" } }, 202);
  });
  app.post("/v1/deployments/:id/retry", async (context) => {
    WithReason.parse(await context.req.json());
    const view = deploymentView(4, { retryOf: find(context.req.param("id"))[0]?.id ?? null });
    state.deployments.set(view.id, view);
    return context.json({ deployment: view }, 202);
  });
  app.get("/v1/deployments/:id", (context) => context.json({ deployment: find(context.req.param("id"))[0], progress: state.progress }));
  app.get("/v1/events", (context) => {
    const events = state.log.map((entry, line) => recorded("environment/web/production", line + 1, entry));
    return context.json({ events, next: events.at(-1)?.position ?? context.req.query("since") });
  });
  app.post("/v1/sessions", async (context) => {
    BeginSession.parse(await context.req.json());
    return context.json({ session: sessionView, secret: "shs_secret" }, 201);
  });
  app.post("/v1/dead-letters/empty", async (context) => {
    const { site, environment } = EmptyDeadLetters.parse(await context.req.json());
    state.emptied.push(`${site}/${environment}`);
    return context.json({ emptied: 7 });
  });
  app.get("/v1/dead-letters", (context) =>
    context.json({ letters: [{ consumer: "project", messageId: "m1", reason: "unknown event", at: at(0), body: "{}" }] }),
  );

  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    state,
    url,
    env: { SHIPLOG_URL: url, SHIPLOG_TOKEN: TOKEN },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

export type StubEngine = Awaited<ReturnType<typeof stubEngine>>;

const problem = (context: Context, status: 401 | 404, code: string, message: string) => context.json({ error: { code, message } }, status);

const recorded = (stream: string, version: number, [type, body, seconds = version]: Scripted) => ({
  id: `${String(version).padStart(22, "0")}.0`,
  stream,
  version,
  index: 0,
  type,
  v: 1,
  body: body as Record<string, unknown>,
  position: String(Date.parse(at(seconds))).padStart(15, "0"),
  at: at(seconds),
  actor: "alice (token default)",
  cause: "c",
  correlation: "c",
  origin: "",
});
