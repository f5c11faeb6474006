import { Hono } from "hono";
import { AtMoment, ListDeployments, RequestDeployment, WithReason } from "../../client/contract.ts";
import type { Request, ReusedBuild } from "../../domain/deployment/shapes.ts";
import { isBeingSwept } from "../../domain/environment/keep.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { type DeploymentView, isEnd } from "../../domain/projections/views.ts";
import type { Because } from "../../engine/log/execute.ts";
import { type Admitted, queueAdmitted } from "../../engine/log/queue-admitted.ts";
import { bodyOf, queryOf } from "./body.ts";
import { commandOf, type Env } from "./caller.ts";
import { listDeployments } from "./deployment-list.ts";
import { look } from "./look.ts";
import { momentOf } from "./moment.ts";
import { past } from "./past.ts";
import type { Ports } from "./ports.ts";
import { Problem, refused } from "./problem.ts";

type Admitting = Pick<Ports, "aggregates" | "clock">;

/** Admits a request to its environment and queues it. Repeated with the same cause it answers the id of the first one's deployment. */
const admit = async ({ aggregates, clock }: Admitting, request: Request, because: Because): Promise<string> => {
  const { site, environment } = request;
  const asked = { actor: because.actor, at: new Date(clock.now()).toISOString() };
  const { events, refusal } = await aggregates.environment.execute(
    site,
    environment,
    { type: "AdmitDeployment", request, ...asked },
    because,
  );
  if (refusal !== undefined) throw refused(`${site}/${environment} takes no deployment now`, refusal);
  const admitted = events.find(isAdmitted);
  if (admitted === undefined) throw new Error(`${request.deploymentId} was neither admitted to ${site}/${environment} nor refused`);
  await queueAdmitted(aggregates, admitted, because.actor);
  return admitted.body.deploymentId;
};

/** The request that tries a deployment again: with its build where that was made, else with its source. */
const retryOf = async (
  ports: Pick<Ports, "aggregates" | "chance" | "clock">,
  old: DeploymentView,
  by: string,
  reason?: string,
): Promise<Request> => {
  const { state } = await ports.aggregates.deployment.load(old.id);
  if (state.request === null) throw new Error(`${old.id} has a view, but its stream holds no request`);
  if (!isEnd(old.status))
    throw new Problem(409, "deployment.running", `${old.id} cannot be tried again: it is still ${old.status}. Cancel it first.`);
  if (old.status === "success")
    throw new Problem(
      409,
      "deployment.succeeded",
      `${old.id} cannot be tried again: it succeeded. To bring it live again, roll back to it.`,
    );
  const { state: env } = await ports.aggregates.environment.load(old.site, old.environment);
  // a build that is swept is made again, of its source
  const build = old.swept === null && !isBeingSwept(env, old.id) ? reusable(old) : undefined;
  const { source, commit } = state.request;
  if (source === null && build === undefined)
    throw new Problem(409, "source.missing", `${old.id} cannot be tried again: neither its source nor its build is known.`);
  return {
    deploymentId: ports.chance.deploymentId(ports.clock.now()),
    site: old.site,
    environment: old.environment,
    source,
    ...(build && { reuse: build }),
    retryOf: old.id,
    trigger: "retry",
    ...(commit && { commit }),
    ...(reason && { reason }),
    requestedBy: by,
  };
};

/** `/v1/deployments`: ask for one, list them, look at one, cancel it, try it again. */
export const deployments = (ports: Ports) => {
  const see = look(ports);
  const then = past(ports);
  const { aggregates, clock, sources, views } = ports;

  return new Hono<Env>()
    .post("/", async (context) => {
      const { site, environment, source, commit, reason } = await bodyOf(context, RequestDeployment);
      see.place(site, environment);
      const because = await commandOf(context, views);
      // only what was uploaded through here is built: a key of somebody else's choice names nothing
      const found = await sources.find(site, source.sha256);
      if (found === undefined || found.key !== source.key)
        throw new Problem(
          409,
          "source.missing",
          `The source ${source.sha256.slice(0, 12)} of ${site} was never uploaded: ask POST /v1/sources where to put it.`,
        );

      const request: Request = {
        deploymentId: ports.chance.deploymentId(clock.now()),
        site,
        environment,
        source: { ...found, ...(source.app !== undefined && { app: source.app }) },
        trigger: context.req.header("x-shiplog-client") === "cli" ? "cli" : "api",
        ...(commit && { commit: await context.get("hide").commit(commit) }),
        ...(reason && { reason }),
        requestedBy: because.actor,
      };
      return context.json({ deployment: await see.deployment(await admit(ports, request, because)) }, 202);
    })

    .get("/", async (context) => context.json(await listDeployments({ see, then, views }, queryOf(context, ListDeployments))))

    .get("/:id", async (context) => {
      const id = await see.deploymentId(context.req.param("id"));
      const { at } = queryOf(context, AtMoment);
      if (at !== undefined) {
        const was = await then.deployment(id, momentOf("at", at));
        if (was === undefined) throw new Problem(404, "deployment.unknown", `${id} was not requested yet at ${at}.`);
        return context.json({ deployment: was, progress: null });
      }
      const [deployment, progress] = await Promise.all([see.deployment(id), views.progress(id)]);
      return context.json({ deployment, progress: isEnd(deployment.status) ? null : (progress ?? null) });
    })

    .post("/:id/cancel", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      const because = await commandOf(context, views);
      const { id } = await see.deployment(await see.deploymentId(context.req.param("id")));
      const { refusal } = await aggregates.deployment.execute(id, { type: "RequestCancel", ...(reason && { reason }) }, because);
      if (refusal !== undefined) throw refused(`${id} cannot be cancelled`, refusal);
      return context.json({ deployment: await see.deployment(id) }, 202);
    })

    .post("/:id/retry", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      const because = await commandOf(context, views);
      const old = await see.deployment(await see.deploymentId(context.req.param("id")));
      see.place(old.site, old.environment);
      const { commit, ...request } = await retryOf(ports, old, because.actor, reason);
      // an older release wrote its author's name
      const hidden = commit && { commit: await context.get("hide").commit(commit) };
      return context.json({ deployment: await see.deployment(await admit(ports, { ...request, ...hidden }, because)) }, 202);
    });
};

/** The finished build of a deployment that did not go live: it need not be made again. */
const reusable = ({ id, reusedFrom, buildId, releaseId, artifact, variables: { built } }: DeploymentView): ReusedBuild | undefined =>
  buildId === null || releaseId === null || artifact === null
    ? undefined
    : { from: reusedFrom ?? id, buildId, releaseId, artifact, ...(built && { variables: built }) };

const isAdmitted = (event: Recorded): event is Admitted => event.type === "DeploymentAdmitted";
