import { type Context, Hono } from "hono";
import { html } from "hono/html";
import {
  askToCancel,
  askToChange,
  askToCut,
  askToRetry,
  askToRollBack,
  confirmation,
  ENVIRONMENT_VERBS,
  type EnvironmentVerb,
  type Place,
} from "./actions.ts";
import { must } from "./engine.ts";
import { deploymentPath, pathOf } from "./environments.ts";
import { page, presentOf } from "./layout.ts";
import { clientOf, type Env, formField, type Ports } from "./ports.ts";
import type { Html } from "./words.ts";

/** What can be done: a page that says what it will do, and its form. A form that is sent twice is one command, by its key. */
export const commandRoutes = (ports: Ports): Hono<Env> => {
  const show = async (context: Context<Env>, title: string, body: Html): Promise<Response> => {
    const screen = presentOf(ports, context);
    // it is read before it is confirmed: nothing in it may change by itself
    return context.html(await page({ title, room: "none", screen, path: "/", body: html`<div data-still>${body}</div>`, withTime: false }));
  };
  const given = async (context: Context) => {
    const reason = await formField(context, "reason");
    return { key: await formField(context, "key"), ...(reason !== "" && { reason }) };
  };

  const app = new Hono<Env>();
  const planned = async (context: Context<Env>, place: Place, to?: string): Promise<Response> => {
    const asked = await askToRollBack(clientOf(ports, context), place, to);
    if ("no" in asked)
      return show(context, "Roll back", html`<h1>Roll back</h1><p role="alert">${asked.no}</p><p><a href="${pathOf(place)}">Back</a></p>`);
    return show(context, asked.title, confirmation(asked, ports.key(), presentOf(ports, context)));
  };
  app.get("/environments/:site/:environment/rollback", (context) => planned(context, context.req.param(), context.req.query("to")));
  app.get("/deployments/:id/rollback", async (context) => {
    const { deployment } = await must(clientOf(ports, context).deployment(context.req.param("id")));
    return planned(context, deployment, deployment.id);
  });
  app.post("/environments/:site/:environment/rollback", async (context) => {
    const { site, environment } = context.req.param();
    const { key, ...reason } = await given(context);
    const body = { from: await formField(context, "from"), to: await formField(context, "to"), ...reason };
    await must(clientOf(ports, context).rollback(site, environment, body, key));
    return context.redirect(pathOf({ site, environment }), 303);
  });

  app.get("/environments/:site/:environment/releases/:deployment/cut", async (context) => {
    const { site, environment, deployment } = context.req.param();
    const { routes } = await must(clientOf(ports, context).environment(site, environment));
    const route = routes.find(({ deploymentId }) => deploymentId === deployment);
    const asked = askToCut({ site, environment }, deployment, context.req.path, route?.address);
    return show(context, asked.title, confirmation(asked, ports.key(), presentOf(ports, context)));
  });
  app.post("/environments/:site/:environment/releases/:deployment/cut", async (context) => {
    const { site, environment, deployment } = context.req.param();
    const { key, reason } = await given(context);
    await must(clientOf(ports, context).cutRelease(site, environment, deployment, reason, key));
    return context.redirect(pathOf({ site, environment }), 303);
  });

  app.get("/environments/:site/:environment/:verb", async (context, next) => {
    const { verb, ...place } = context.req.param();
    if (!isVerb(verb)) return next();
    const asked = askToChange(verb, place);
    return show(context, asked.title, confirmation(asked, ports.key(), presentOf(ports, context)));
  });
  app.post("/environments/:site/:environment/:verb", async (context, next) => {
    const { verb, site, environment } = context.req.param();
    if (!isVerb(verb)) return next();
    const { key, ...reason } = await given(context);
    const body = verb === "unlock" && (await formField(context, "force")) === "yes" ? { ...reason, force: true } : reason;
    await must(clientOf(ports, context).change(site, environment, verb, body, key));
    return context.redirect(pathOf({ site, environment }), 303);
  });

  for (const [verb, asked] of [
    ["cancel", askToCancel],
    ["retry", askToRetry],
  ] as const) {
    app.get(`/deployments/:id/${verb}`, async (context) => {
      const { title, ...rest } = asked(context.req.param("id"));
      return show(context, title, confirmation({ title, ...rest }, ports.key(), presentOf(ports, context)));
    });
    app.post(`/deployments/:id/${verb}`, async (context) => {
      const { key, reason } = await given(context);
      const { id } = await must(clientOf(ports, context)[verb](context.req.param("id"), reason, key));
      return context.redirect(deploymentPath(id), 303);
    });
  }
  return app;
};

const isVerb = (text: string): text is EnvironmentVerb => (ENVIRONMENT_VERBS as readonly string[]).includes(text);
