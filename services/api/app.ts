import { type Handler, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { openApi } from "../../client/openapi.ts";
import { VERSION_HEADER, version } from "../../client/version.ts";
import { SealBroken } from "../../engine/archive/sealed-history.ts";
import { isStoreFull } from "../../engine/aws/errors.ts";
import { ClockWrong } from "../../engine/aws/store-time.ts";
import { sentByPage } from "../../engine/kit/page-request.ts";
import { ChainBroken } from "../../engine/log/chain-broken.ts";
import { auditTrail } from "./audit.ts";
import { buildLogs } from "./build-logs.ts";
import { authenticate, type Env } from "./caller.ts";
import { comparisons } from "./compare.ts";
import { deadLetter } from "./dead-letter.ts";
import { deadLetters } from "./dead-letters.ts";
import { deployments } from "./deployments.ts";
import { doraFigures } from "./dora.ts";
import { engineHealth } from "./engine-health.ts";
import { environments } from "./environments.ts";
import { eventStream } from "./event-stream.ts";
import { githubRights } from "./github-rights.ts";
import { history } from "./history.ts";
import { liveHistories } from "./live-history.ts";
import { log } from "./log.ts";
import { people } from "./people.ts";
import type { Ports } from "./ports.ts";
import { Problem, problemBody } from "./problem.ts";
import { seals } from "./seals.ts";
import { scopes, sessions } from "./sessions.ts";
import { sources } from "./sources.ts";
import { streams } from "./streams.ts";
import { subscriptions } from "./subscriptions.ts";
import { sweeps } from "./sweeps.ts";
import { variables } from "./variables.ts";
import { webhookDeliveries } from "./webhook-deliveries.ts";
import { webhooks } from "./webhooks.ts";

const LARGEST_BODY = 1_000_000;

/** There is no CORS: who has a token is a program, and a page of another site must not act with one. */
const refusePages: MiddlewareHandler<Env> = async ({ req }, next) => {
  const why = sentByPage({ origin: req.header("origin"), site: req.header("sec-fetch-site") });
  if (why !== undefined) throw new Problem(403, "origin.refused", why);
  await next();
};

/** Every answer says which release gives it: a command of another one finds out why it is not understood. */
const sayVersion: MiddlewareHandler<Env> = async (context, next) => {
  await next();
  context.header(VERSION_HEADER, version);
};

/** Whoever may look reads names; the log has pseudonyms. What is streamed says them by itself. */
const sayNames =
  ({ people }: Pick<Ports, "people">): MiddlewareHandler<Env> =>
  async (context, next) => {
    await next();
    if (!context.res.headers.get("content-type")?.startsWith("application/json")) return;
    const said = await context.res.text();
    context.res = new Response(await people.inJson(said), context.res);
  };

/** Made at the first question, and kept: a start need not wait for it. */
const description = (): Handler<Env> => {
  let made: object | undefined;
  return (context) => {
    made ??= openApi();
    return context.json(made);
  };
};

/** The HTTP API of the contract. It only checks, gives commands and reads: the rules are the domain's. */
export const createApi = (ports: Ports): Hono<Env> => {
  const app = new Hono<Env>();

  app.onError((error, context) => {
    if (error instanceof Problem) return context.json(problemBody(error), error.status);
    if (error instanceof ClockWrong)
      return context.json(problemBody({ code: "clock.wrong", message: `${error.message}.`, candidates: undefined }), 503);
    const code = error instanceof ChainBroken ? "stream.broken" : error instanceof SealBroken ? "seal.broken" : undefined;
    if (code !== undefined) {
      ports.report({ level: "error", message: "the log was tampered with", code, path: context.req.path, reason: error.message });
      return context.json(problemBody({ code, message: `${error.message}.`, candidates: undefined }), 500);
    }
    // a store that is full is the one fault that the person who asks can often mend, and its sentence names nothing else
    if (isStoreFull(error)) {
      ports.report({ level: "error", message: "a request failed: the store is full", reason: String(error) });
      return context.json(problemBody({ code: "store.full", message: error.message, candidates: undefined }), 507);
    }
    // what broke is for the operator: it may name what the caller must not see
    const request = ports.chance.requestId();
    ports.report({
      level: "error",
      message: "a request failed",
      request,
      method: context.req.method,
      path: context.req.path,
      reason: String(error),
    });
    return context.json(
      problemBody({ code: "fault", message: `Something broke on the engine's side; its log has it as ${request}.`, candidates: undefined }),
      500,
    );
  });
  app.notFound((context) =>
    context.json(
      problemBody({ code: "route.unknown", message: `There is no ${context.req.method} ${context.req.path}.`, candidates: undefined }),
      404,
    ),
  );

  app.use(sayVersion);
  app.use(refusePages);
  app.get("/v1/health", (context) => context.json({ ok: true }));
  app.get("/v1/openapi.json", description());
  app.use("/v1/*", authenticate(ports));
  app.use(
    "/v1/*",
    bodyLimit({
      maxSize: LARGEST_BODY,
      onError: (context) => {
        // the rest of the body is not read: nothing more can come over this connection
        context.header("connection", "close");
        throw new Problem(413, "body.large", `The body is larger than ${LARGEST_BODY} bytes.`);
      },
    }),
  );
  app.route("/v1", githubRights(ports));
  app.use("/v1/*", scopes);

  // the one answer that says whose pseudonym is whose
  app.route("/v1/people", people(ports));
  app.use("/v1/*", sayNames(ports));

  app.route("/v1", sessions(ports));
  app.route("/v1/sources", sources(ports));
  app.route("/v1/deployments", deployments(ports));
  app.route("/v1/deployments", buildLogs(ports));
  app.route("/v1/deployments", comparisons(ports));
  app.route("/v1/environments", environments(ports));
  app.route("/v1/environments", sweeps(ports));
  app.route("/v1/environments", history(ports));
  app.route("/v1/environments", liveHistories(ports));
  app.route("/v1/environments", variables(ports));
  app.route("/v1/health/engine", engineHealth(ports));
  app.route("/v1/seals", seals(ports));
  app.route("/v1/webhooks", webhooks(ports));
  app.route("/v1/webhooks", webhookDeliveries(ports));
  app.route("/v1/subscriptions", subscriptions(ports));
  app.route("/v1/audit", auditTrail(ports));
  app.route("/v1/dora", doraFigures(ports));
  app.route("/v1", streams(ports));
  app.route("/v1/events", log(ports));
  app.route("/v1/stream", eventStream(ports));
  app.route("/v1/dead-letters", deadLetters(ports));
  app.route("/v1/dead-letters", deadLetter(ports));
  return app;
};
