import { Hono } from "hono";
import { html } from "hono/html";
import { isEnd } from "../../domain/projections/views.ts";
import { buildLog, deploymentHead, deploymentsTable, eventsTable } from "../deployments.ts";
import { must } from "../engine.ts";
import { LATER, page, SOON, screenOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";
import { inList } from "./glance.ts";

/** `/deployments`, and one of them with its steps, its build's log and its events. */
export const deployments = (ports: Ports): Hono<Env> =>
  new Hono<Env>()
    .get("/deployments", async (context) => {
      const screen = screenOf(ports, context);
      const deployments = await must(clientOf(ports, context).deployments({ limit: 100, at: screen.at }));
      const body = html`<h1>Deployments</h1>${deploymentsTable(deployments, screen, "The newest hundred")}`;
      return context.html(await page({ title: "Deployments", room: "deployments", screen, path: "/deployments", body, every: LATER }));
    })
    .get("/deployments/:id", async (context) => {
      const screen = screenOf(ports, context);
      const client = clientOf(ports, context);
      const { deployment, progress } = await must(client.deployment(context.req.param("id"), screen.at));
      const [environments, { events }, log] = await Promise.all([
        must(
          screen.at === undefined ? inList(client.environment(deployment.site, deployment.environment)) : client.environments(screen.at),
        ),
        must(client.deploymentEvents(deployment.id, 0)),
        deployment.buildId === null || screen.at !== undefined ? undefined : client.logs(deployment.id, context.req.query("log")),
      ]);
      const isLive = environments.some(({ live }) => live?.deploymentId === deployment.id);
      const then = events.filter(({ version }) => version <= deployment.version);
      // the log of a build may be gone while its deployment is not
      const lines = log?.ok ? buildLog(log.value.lines, log.value.done ? null : log.value.next, deployment.id) : "";
      const body = html`${deploymentHead({ deployment, progress, isLive, screen })}${lines}${eventsTable(then, screen, "Events")}`;
      return context.html(
        await page({
          title: `Deployment #${deployment.sequence}`,
          room: "deployments",
          screen,
          path: context.req.path,
          body,
          every: isEnd(deployment.status) ? LATER : SOON,
        }),
      );
    });
