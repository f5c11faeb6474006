import { type Context, Hono } from "hono";
import { AtMoment, CutRelease, Lock, Pin, PlanRollback, Rollback, Unlock, WithReason } from "../../client/contract.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import type { FlipRequested } from "../../domain/environment/events.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import type { Executed } from "../../engine/log/execute.ts";
import { bodyOf, queryOf } from "./body.ts";
import { commandOf, type Env } from "./caller.ts";
import { seenBy } from "./github-rights.ts";
import { look } from "./look.ts";
import { momentOf } from "./moment.ts";
import { past } from "./past.ts";
import { pastRelease } from "./past-release.ts";
import type { Ports } from "./ports.ts";
import { Problem, refused } from "./problem.ts";
import { planOf } from "./rollback-plan.ts";

type Asked = { actor: string; at: string };
type Here = Context<Env, "/:site/:environment/*">;

/** `/v1/environments`: look, roll back, cut a release off, pin, lock. */
export const environments = (ports: Ports) => {
  const see = look(ports);
  const then = past(ports);
  const plan = planOf(ports, see);

  const placeOf = (context: Context) => see.place(context.req.param("site") ?? "", context.req.param("environment") ?? "");

  /** Gives a command to the environment that the path names. @param no what is said of the place where the rules refuse */
  const give = async (context: Here, no: string, command: (asked: Asked) => EnvironmentCommand): Promise<Executed<Environment>> => {
    const { site, environment } = placeOf(context);
    const because = await commandOf(context, ports.views);
    const asked = { actor: because.actor, at: new Date(ports.clock.now()).toISOString() };
    const executed = await ports.aggregates.environment.execute(site, environment, command(asked), because);
    if (executed.refusal !== undefined) throw refused(`${site}/${environment} ${no}`, executed.refusal);
    return executed;
  };
  const answer = async (context: Here) => context.json({ environment: await see.environment(placeOf(context)) });

  return new Hono<Env>()
    .get("/", async (context) => {
      const { at } = queryOf(context, AtMoment);
      const places = see.places().filter(seenBy(context));
      if (at === undefined) return context.json({ environments: await see.environments(places) });
      const moment = momentOf("at", at);
      return context.json({ environments: await Promise.all(places.map((place) => then.environment(place, moment))) });
    })
    .get("/:site/:environment", async (context) => {
      const { at } = queryOf(context, AtMoment);
      const place = placeOf(context);
      return context.json({
        environment: at === undefined ? await see.environment(place) : await then.environment(place, momentOf("at", at)),
      });
    })

    .get("/:site/:environment/rollback", async (context) => {
      const { to } = queryOf(context, PlanRollback);
      const place = placeOf(context);
      return context.json(await plan(place, to === undefined ? undefined : await see.deploymentId(to)));
    })
    .post("/:site/:environment/rollback", async (context) => {
      const { to: wanted, from: seen, reason: why, force } = await bodyOf(context, Rollback);
      const place = placeOf(context);
      const [to, from] = await Promise.all([wanted, seen].map((id) => (id === undefined ? undefined : see.deploymentId(id))));
      const older = to === undefined ? undefined : await pastRelease(ports, place, to);
      const executed = await give(context, "cannot be rolled back", (asked) => ({
        type: "RequestRollback",
        ...(to && { to }),
        ...(older && { past: older }),
        ...(from && { from }),
        ...(why && { why }),
        force,
        ...asked,
      }));
      return context.json(started(executed, to), 202);
    })

    .post("/:site/:environment/releases/:deployment/cut", async (context) => {
      const { reason: why } = await bodyOf(context, CutRelease);
      placeOf(context);
      const deploymentId = await see.deploymentId(context.req.param("deployment"));
      const no = `cannot cut ${deploymentId} off`;
      await give(context, no, (asked) => ({ type: "CutRelease", deploymentId, ...(why && { why }), ...asked }));
      return answer(context);
    })

    .post("/:site/:environment/pin", async (context) => {
      const { reason } = await bodyOf(context, Pin);
      await give(context, "cannot be pinned", () => ({ type: "PinEnvironment", reason }));
      return answer(context);
    })
    .post("/:site/:environment/unpin", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      await give(context, "cannot be unpinned", (asked) => ({ type: "UnpinEnvironment", ...(reason && { reason }), ...asked }));
      return answer(context);
    })
    .post("/:site/:environment/lock", async (context) => {
      const { reason, until } = await bodyOf(context, Lock);
      // stored in UTC, whatever zone it was said in
      const end = until === undefined ? null : new Date(until).toISOString();
      await give(context, "cannot be locked", (asked) => ({ type: "LockEnvironment", reason, until: end, ...asked }));
      return answer(context);
    })
    .post("/:site/:environment/unlock", async (context) => {
      const { reason, force } = await bodyOf(context, Unlock);
      await give(context, "cannot be unlocked", (asked) => ({ type: "UnlockEnvironment", force, ...(reason && { reason }), ...asked }));
      return answer(context);
    });
};

/**
 * What a rollback began, or what was so already. `version`: the stream's version at which it was asked for, from where
 * its end is to be looked for. A repeated request finds its first answer here, however far the stream has gone since.
 */
function started({ events, state, version }: Executed<Environment>, to: string | undefined) {
  const flip = events.find(isFlipRequested);
  if (flip !== undefined) {
    const { sequence, deploymentId, previous } = flip.body;
    return { sequence, deploymentId, previous: previous?.deploymentId ?? null, alreadyLive: false, version: flip.version };
  }
  const { live } = state;
  const underWay = state.open.get(state.flipped);
  if (underWay !== undefined && (to === undefined || underWay.deploymentId === to))
    return {
      sequence: underWay.sequence,
      deploymentId: underWay.deploymentId,
      previous: live?.deploymentId ?? null,
      alreadyLive: false,
      version,
    };
  if (live === null) throw new Problem(409, "rollback.nothing", "Nothing was ever live here.");
  return { ...live, previous: live.deploymentId, alreadyLive: true, version };
}

type Requested = Recorded<ReturnType<(typeof FlipRequested)["parse"]>>;
const isFlipRequested = (event: Recorded): event is Requested => event.type === "FlipRequested";
