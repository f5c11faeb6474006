import { Hono } from "hono";
import { html } from "hono/html";
import { isEnd } from "../../domain/projections/views.ts";
import { buildLog, logText, openBuildLogs } from "../build-log.ts";
import { deploymentHead, deploymentsTable, eventsTable } from "../deployments.ts";
import { must } from "../engine.ts";
import { deploymentPath, type Environment } from "../environments.ts";
import { LATER, page, SOON, screenOf } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";

/** `/deployments`, and one of them with its steps, its build's log and its events. */
export const deployments = (ports: Ports): Hono<Env> => {
  const readLog = openBuildLogs();
  return new Hono<Env>()
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
      const find = context.req.query("find") ?? "";
      const [environment, { events }, log] = await Promise.all([
        must(client.environment(deployment.site, deployment.environment, screen.at)),
        must(client.deploymentEvents(deployment.id, 0)),
        screen.at === undefined ? readLog(client, deployment) : undefined,
      ]);
      const live = environment.live?.deploymentId;
      const then = events.filter(({ version }) => version <= deployment.version);
      const lines = log === undefined ? "" : buildLog({ deployment, log, find });
      const head = deploymentHead({ deployment, progress, live, before: liveBefore(environment, deployment.id), screen });
      const body = html`${head}${lines}${eventsTable(then, screen, "Events")}`;
      return context.html(
        await page({
          title: `Deployment #${deployment.sequence}`,
          room: "deployments",
          screen,
          path: deploymentPath(deployment.id),
          body,
          every: isEnd(deployment.status) ? LATER : SOON,
          says: [`#${deployment.sequence} is ${deployment.status}`, ...(live === deployment.id ? [`#${deployment.sequence} is live`] : [])],
          shows: [`deployment/${deployment.id}`, `environment/${deployment.site}/${deployment.environment}`],
          keep: find === "" ? {} : { find },
        }),
      );
    })
    .get("/deployments/:id/log.txt", async (context) => {
      const client = clientOf(ports, context);
      const { deployment } = await must(client.deployment(context.req.param("id")));
      const log = await readLog(client, deployment);
      return context.body(logText(log ?? { lines: [], cut: false, grows: false }), 200, {
        "content-type": "text/plain; charset=utf-8",
        "content-disposition": `attachment; filename="${deployment.id}.log"`,
      });
    });
};

/** What was live before a release last went live; nothing where it never did, or long ago. */
const liveBefore = (environment: Environment, id: string): string | undefined => {
  const all = [environment.live, ...environment.history].flatMap((one) => (one === null ? [] : [one.deploymentId]));
  const place = all.indexOf(id);
  return place < 0 ? undefined : all.slice(place).find((other) => other !== id);
};
