import { type Context, Hono } from "hono";
import type * as z from "zod";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { KeepRelease, type PlannedSweep, PlanSweep, Sweep, WithReason } from "../../client/contract.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { saySwept } from "../../domain/environment/keep.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { claimsAt } from "../../engine/sweep/claim.ts";
import { explain, sayVerdict, type Told } from "../../engine/sweep/explain.ts";
import type { Place } from "../../engine/sweep/place.ts";
import type { Judged, Plan } from "../../engine/sweep/plan.ts";
import { idOf } from "../../engine/sweep/things.ts";
import { bodyOf, queryOf } from "./body.ts";
import { commandOf, type Env } from "./caller.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem, refused } from "./problem.ts";

type Planned = z.infer<typeof PlannedSweep>;
type Here = Context<Env, "/:site/:environment/*">;

/** `/v1/environments`: what of an environment's releases stays and goes, and keeping one by name. */
export const sweeps = (ports: Ports) => {
  const see = look(ports);
  const placeOf = (context: Context) => see.place(context.req.param("site") ?? "", context.req.param("environment") ?? "");

  /** @throws Problem where it is of another environment */
  const deploymentHere = async (context: Here, { site, environment }: SiteConfig, verb: string): Promise<DeploymentView> => {
    const id = await see.deploymentId(context.req.param("deployment") ?? "");
    const view = await see.deployment(id);
    if (view.site === site && view.environment === environment) return view;
    throw refused(`${site}/${environment} cannot ${verb} ${id}`, {
      refused: "release.unknown",
      because: `it is of ${view.site}/${view.environment}`,
    });
  };
  const give = async (context: Here, { site, environment }: SiteConfig, no: string, command: EnvironmentCommand) => {
    const because = await commandOf(context, ports.views);
    const { refusal } = await ports.aggregates.environment.execute(site, environment, command, because);
    if (refusal !== undefined) throw refused(`${site}/${environment} ${no}`, refusal);
    return context.json({ environment: await see.environment(placeOf(context)) });
  };

  return new Hono<Env>()
    .get("/:site/:environment/sweep", async (context) => {
      const { explain: thing } = queryOf(context, PlanSweep);
      const declared = placeOf(context);
      const deployment = thing === undefined ? undefined : await deploymentNamed(see, thing);
      const { place, plan } = await ports.sweeps.plan(declared, thing === undefined);
      const environment = await see.environment(declared);
      const { marked, swept } = environment;
      const releases = await Promise.all(plan.judged.map((judged) => releaseOf(see, place, plan, judged, environment)));
      const others = namesOf(plan);
      const [strangers, lost] = [[...plan.strangers], [...plan.lost]];
      const sweep = { keep: place.keep, marked, swept, releases, others, strangers, lost, bytes: bytesOf(plan) };
      if (thing === undefined) return context.json({ sweep, explained: null } satisfies Planned);
      const manifests = await ports.sweeps.manifests(place, plan);
      const { state } = await ports.aggregates.environment.load(place.site, place.environment);
      const { of, ...explained } = explain({ place, plan, manifests, state, environment, deployment }, thing);
      return context.json({ sweep, explained: { ...explained, of: [...of] } } satisfies Planned);
    })
    .post("/:site/:environment/sweep", async (context) => {
      await bodyOf(context, Sweep);
      const { site, environment } = placeOf(context);
      const { actor, cause } = await commandOf(context, ports.views);
      await ports.sweeps.send(JSON.stringify({ site, environment, actor, cause }));
      return context.json({ asked: true }, 202);
    })

    .post("/:site/:environment/releases/:deployment/keep", async (context) => {
      const { reason } = await bodyOf(context, KeepRelease);
      const place = placeOf(context);
      const { id: deploymentId, swept } = await deploymentHere(context, place, "keep");
      const no = `cannot keep ${deploymentId}`;
      if (swept !== null)
        throw refused(`${place.site}/${place.environment} ${no}`, {
          refused: "release.swept",
          because: `${deploymentId} ${saySwept(swept)}. Deploy its commit again`,
        });
      return give(context, place, no, { type: "KeepRelease", deploymentId, reason, claims: claimsAt(ports.clock.now()) });
    })
    .post("/:site/:environment/releases/:deployment/unkeep", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      const place = placeOf(context);
      const { id: deploymentId } = await deploymentHere(context, place, "unkeep");
      return give(context, place, `cannot unkeep ${deploymentId}`, { type: "UnkeepRelease", deploymentId, ...(reason && { reason }) });
    });
};

/** What looks like a deployment's id, or the beginning of one. */
const DEPLOYMENT = /^(dep_)?[0-9a-z]{1,26}$/i;

/** The deployment that a thing names; `undefined` where it names something else. @throws Problem where several begin so */
const deploymentNamed = async (see: ReturnType<typeof look>, thing: string): Promise<DeploymentView | undefined> => {
  if (!DEPLOYMENT.test(thing)) return undefined;
  try {
    return await see.deployment(await see.deploymentId(thing));
  } catch (error) {
    if (error instanceof Problem && error.code === "deployment.unknown") return undefined;
    throw error;
  }
};

type Release = Planned["sweep"]["releases"][number];
const releaseOf = async (see: ReturnType<typeof look>, place: Place, plan: Plan, judged: Judged, told: Told): Promise<Release> => {
  const { one, verdict } = judged;
  const { deploymentId, release, sequence, madeAt } = one;
  const swept = one.isSwept ? (await see.deployment(deploymentId)).swept : null;
  const because = sayVerdict(judged, place, told);
  return {
    ...{ deploymentId, release, sequence, madeAt },
    stays: "stays" in verdict ? verdict.stays : null,
    goes: "goes" in verdict ? verdict.goes : null,
    because: swept === null ? because : `it ${saySwept(swept)}; something of it was left`,
    bytes: ownBytes(plan, one),
  };
};

const versionsOf = ({ functions }: Judged["one"]): string[] => functions.map(({ name, version }) => `${name}:${version}`);

/** Of its versions' code, as far as no other release has it. */
const ownBytes = ({ judged, sizes }: Plan, own: Judged["one"]): number => {
  const elsewhere = new Set(judged.flatMap(({ one }) => (one === own ? [] : versionsOf(one))));
  return sumOf(new Set(versionsOf(own)), (name) => (elsewhere.has(name) ? 0 : (sizes.get(name) ?? 0)));
};

const bytesOf = ({ sizes, things, others }: Plan): Planned["sweep"]["bytes"] => {
  const go = sumOf(new Set([...things, ...others].map(({ name }) => name)), (name) => sizes.get(name) ?? 0);
  return { stay: sumOf(sizes.values(), (bytes) => bytes) - go, go };
};

const sumOf = <T>(all: Iterable<T>, bytes: (one: T) => number): number => [...all].reduce((sum, one) => sum + bytes(one), 0);

/** Versions and pages one by one; files are many. */
const namesOf = ({ others }: Plan): string[] => {
  const files = others.filter(({ kind }) => kind === "files").length;
  return [...others.filter(({ kind }) => kind !== "files" && kind !== "tags").map(idOf), ...(files > 0 ? [`files ${files}`] : [])];
};
