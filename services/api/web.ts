import { Hono } from "hono";
import { createDashboard } from "../../dashboard/app.ts";
import { createApi } from "./app.ts";
import type { Ports } from "./ports.ts";

/** What the API's address answers: the API below `/v1`, and the dashboard, which asks it in this very process. */
export const createWeb = (ports: Ports): Hono => {
  const api = createApi(ports);
  const dashboard = createDashboard({ ask: (request, env) => api.fetch(request, env), now: ports.clock.now, key: ports.chance.requestId });
  return new Hono()
    .onError((error, { req, text }) => {
      ports.report({ level: "error", message: "a page failed", method: req.method, path: req.path, reason: String(error) });
      return text("Something broke on the engine's side; its log has it. Load the page again in a moment.", 500);
    })
    .all("*", ({ req, env }) => (/^\/v1(?:\/|$)/.test(req.path) ? api : dashboard).fetch(req.raw, env as object));
};
