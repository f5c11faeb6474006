import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { commandRoutes } from "./command-routes.ts";
import { engineAs, Refused } from "./engine.ts";
import { plainPage } from "./layout.ts";
import { liveScript } from "./live-script.ts";
import { type Env, formField, type Ports } from "./ports.ts";
import { screenRoutes } from "./screen-routes.ts";
import { beginSession, endSession, forgedForm, guarded, isToken, tokenOf } from "./session.ts";
import { style } from "./style.ts";
import type { Html } from "./words.ts";

/**
 * The page: what is live, why, what is on its way, and the way back. It is served beside the API, asks it with the token of
 * whoever signed in, and can see and do nothing that the API would not let that token do.
 */
export const createDashboard = (ports: Ports): Hono<Env> => {
  const app = new Hono<Env>();
  app.onError((error, context) => {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) {
      endSession(context);
      return context.redirect("/signin");
    }
    return wrong(context, error.message, error.status);
  });
  app.notFound((context) => wrong(context, `There is no page ${context.req.path.slice(0, 200)}.`, 404));

  app.use(guarded);
  app.get("/assets/style.css", (context) => context.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/assets/live.js", (context) => context.body(liveScript, 200, { "content-type": "text/javascript; charset=utf-8" }));
  app.use(async (context, next) => {
    const { req } = context;
    if (req.method === "GET" || req.method === "HEAD") return next();
    const why = forgedForm({ origin: req.header("origin"), site: req.header("sec-fetch-site") }, req.header("host"));
    return why === undefined ? next() : wrong(context, `${why} Nothing was done.`, 403);
  });

  app.get("/signin", async (context) => context.html(await signInPage("")));
  app.post("/signin", async (context) => {
    const token = await formField(context, "token");
    const refusal = await refusalOf(ports, token, context);
    if (refusal !== undefined) return context.html(await signInPage(refusal), 401);
    beginSession(context, token);
    return context.redirect("/", 303);
  });
  app.post("/signout", (context) => {
    endSession(context);
    return context.redirect("/signin", 303);
  });

  app.use(async (context, next) => {
    const token = tokenOf(context);
    if (token === undefined) return context.redirect("/signin");
    context.set("token", token);
    return next();
  });
  app.route("/", screenRoutes(ports));
  app.route("/", commandRoutes(ports));
  return app;
};

/** Whom the engine lets in, comes in. */
const refusalOf = async ({ ask }: Ports, token: string, { env, req }: Context): Promise<string | undefined> => {
  if (!isToken(token)) return "A token is printable and without spaces.";
  const asked = await engineAs(ask, token, env as object, req.raw.signal).environments();
  if (asked.ok) return undefined;
  return asked.failure.kind === "refused" && asked.failure.status === 401
    ? "The engine does not know this token."
    : "The engine cannot be asked now. Try again in a moment.";
};

const wrong = async (context: Context, message: string, status: number): Promise<Response> => {
  const body = html`<h1>That did not work</h1><p role="alert">${message}</p><p><a href="/">To the overview</a></p>`;
  return context.html(await plainPage("That did not work", body), status as 400);
};

const signInPage = (refusal: string): Html =>
  plainPage(
    "Sign in",
    html`<h1>Shiplog</h1>${refusal === "" ? "" : html`<p role="alert" class="reason">${refusal}</p>`}<form method="post" action="/signin"><p><label for="token">Token</label> <input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p><p class="row"><button class="main">Sign in</button></p></form><p class="soft">Of <code>shiplog dev</code>: the token in <code>.shiplog/connection.json</code>. On AWS: the one that <code>SHIPLOG_TOKEN</code> holds for the CLI. You stay signed in for 12 hours.</p>`,
  );
