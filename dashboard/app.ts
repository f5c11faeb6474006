import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { html } from "hono/html";
import { headerName } from "../client/actor.ts";
import type { Client } from "../client/client.ts";
import { commandRoutes } from "./command-routes.ts";
import { engineAs, must, Refused, streamAs } from "./engine.ts";
import { momentOf, plainPage } from "./layout.ts";
import { liveScript } from "./live-script.ts";
import { clientOf, type Env, formField, type Ports } from "./ports.ts";
import { audit } from "./screens/audit.ts";
import { compare } from "./screens/compare.ts";
import { deployments } from "./screens/deployments.ts";
import { dora } from "./screens/dora.ts";
import { environment } from "./screens/environment.ts";
import { event } from "./screens/event.ts";
import { health } from "./screens/health.ts";
import { log } from "./screens/log.ts";
import { overview } from "./screens/overview.ts";
import { quarantine } from "./screens/quarantine.ts";
import { sessions } from "./screens/sessions.ts";
import { webhooks } from "./screens/webhooks.ts";
import { bearerOf, forgedForm, forgetBearer, guarded, isToken, keepBearer } from "./session.ts";
import { style } from "./style.ts";
import type { Html } from "./words.ts";

const LARGEST_FORM = 64_000;
const SCREENS = [overview, environment, deployments, compare, log, event, audit, webhooks, quarantine, health, dora, sessions] as const;

/**
 * The page: what is live, why, what is on its way, and the way back. It is served beside the API, asks it with the token of
 * whoever signed in, and can see and do nothing that the API would not let that token do.
 */
export const createDashboard = (ports: Ports): Hono<Env> => {
  const app = new Hono<Env>();
  app.onError((error, context) => {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) {
      forgetBearer(context);
      return context.redirect("/signin");
    }
    return wrong(context, error.message, error.status);
  });
  app.notFound((context) => wrong(context, `There is no page ${context.req.path.slice(0, 200)}.`, 404));

  const beginning = logBeginning();
  app.use(guarded);
  app.use(compress());
  app.use(bodyLimit({ maxSize: LARGEST_FORM, onError: (context) => wrong(context, "The form is too large.", 413) }));
  app.get("/assets/style.css", (context) => context.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/assets/live.js", (context) => context.body(liveScript, 200, { "content-type": "text/javascript; charset=utf-8" }));
  app.use(async (context, next) => {
    const { req } = context;
    if (req.method === "GET" || req.method === "HEAD") return next();
    const why = forgedForm({ origin: req.header("origin"), site: req.header("sec-fetch-site") }, req.header("host"));
    return why === undefined ? next() : wrong(context, `${why} Nothing was done.`, 403);
  });

  app.get("/signin", async (context) => context.html(await signInPage("", wantedOf(context.req.query("to")))));
  app.post("/signin", async (context) => {
    const to = wantedOf(await formField(context, "to"));
    const signedIn = await signIn(ports, context, await formField(context, "token"), await formField(context, "name"));
    if ("no" in signedIn) return context.html(await signInPage(signedIn.no, to), 401);
    keepBearer(context, signedIn.bearer);
    return context.redirect(to, 303);
  });

  app.use(async (context, next) => {
    const bearer = bearerOf(context);
    if (bearer === undefined) return comeIn(context);
    context.set("bearer", bearer);
    const client = clientOf(ports, context);
    context.set("caller", await must(client.caller()));
    context.set("begins", await beginning(client));
    return next();
  });
  app.post("/signout", async (context) => {
    forgetBearer(context);
    const { session } = context.get("caller");
    if (session !== null) await must(clientOf(ports, context).endSession(session.id, "signed out", ports.key()));
    return context.redirect("/signin", 303);
  });
  app.get("/stream", (context) => {
    // nobody reads the body of an answer to HEAD, so that it would never end
    if (context.req.method === "HEAD") return context.body(null, 200, { "content-type": "text/event-stream" });
    const given = context.req.header("last-event-id") ?? context.req.query("last") ?? "";
    // it is to stand in a header
    const lastId = /^[\x21-\x7e]{1,9000}$/.test(given) ? given : undefined;
    return streamAs(ports.ask, { token: context.get("bearer") }, lastId, context.env as object, context.req.raw.signal);
  });
  for (const screen of SCREENS) app.route("/", screen(ports));
  app.route("/", commandRoutes(ports));
  return app;
};

/** When the log's first event was, in milliseconds since 1970: looked for until there is one, and then known for good. */
const logBeginning = () => {
  let known: number | undefined;
  return async (client: Client): Promise<number | undefined> => {
    known ??= momentOf((await must(client.log({ since: "0".repeat(15), limit: 1 }))).events[0]?.position ?? "");
    return known;
  };
};

/** A browser keeps the cookie back from who comes by another site's link, and sends it when this very page asks once more. */
const comeIn = async (context: Context): Promise<Response> => {
  const { req } = context;
  if (req.method === "GET" && req.header("sec-fetch-site") === "cross-site") return context.html(await againPage());
  const to = req.method === "GET" ? `${req.path}${new URL(req.url).search}` : "/";
  return context.redirect(to === "/" ? "/signin" : `/signin?to=${encodeURIComponent(to)}`);
};

/** A path of this page, for whoever has signed in; never another address. */
const wantedOf = (to: string | undefined): string => (to !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : "/");

/** Whom the engine lets in, has a session of it: the token itself is kept nowhere. */
const signIn = async (
  { ask, key }: Ports,
  { env, req }: Context,
  token: string,
  name: string,
): Promise<{ bearer: string } | { no: string }> => {
  if (!isToken(token)) return { no: "A token is printable and without spaces." };
  const actor = headerName(name);
  if (name !== "" && actor === "") return { no: "Write your name in Latin letters: the log's actor has no others." };
  const begun = await engineAs(ask, { token, actor }, env as object, req.raw.signal).beginSession("browser", key());
  if (begun.ok) return { bearer: begun.value.secret };
  const { failure } = begun;
  if (failure.kind !== "refused" || failure.status >= 500) return { no: "The engine cannot be asked now. Try again in a moment." };
  return { no: failure.code === "token.unknown" ? "The engine does not know this token." : failure.message };
};

const wrong = async (context: Context, message: string, status: number): Promise<Response> => {
  const body = html`<h1>That did not work</h1><p role="alert">${message}</p><p><a href="/">To the overview</a></p>`;
  return context.html(await plainPage("That did not work", body), status as 400);
};

const againPage = (): Html => plainPage("One moment", html`<meta http-equiv="refresh" content="0"><p>One moment.</p>`);

const signInPage = (refusal: string, to: string): Html =>
  plainPage(
    "Sign in",
    html`<h1>Shiplog</h1>${refusal === "" ? "" : html`<p role="alert" class="reason">${refusal}</p>`}<form method="post" action="/signin"><input type="hidden" name="to" value="${to}"><p><label for="name">Your name</label> <input id="name" name="name" autocomplete="username" maxlength="64" required autofocus></p><p><label for="token">Token</label> <input id="token" name="token" type="password" autocomplete="current-password" required></p><p class="row"><button class="main">Sign in</button></p></form><p class="soft">Of <code>shiplog dev</code>: the token in <code>.shiplog/connection.json</code>. On AWS: the one that <code>SHIPLOG_TOKEN</code> holds for the CLI. The name is what the log says of what you do; of a lock that you hold in a terminal, the one there (<code>SHIPLOG_ACTOR</code>). You stay signed in for 12 hours. From a terminal, signed in: <code>shiplog open</code></p>`,
    true,
  );
