import { type Context, Hono, type MiddlewareHandler } from "hono";
import { PrepareSource, RequestDeployment } from "../../client/contract.ts";
import { DeploymentId } from "../../domain/kernel/identity.ts";
import { formOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { type Run, whyNot } from "./github-rule.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

type Place = { readonly site: string; readonly environment: string };
type Check = (context: Context<Env>, run: Run) => Promise<void> | void;

/** True for what the caller may look at: everything, unless it is a run of GitHub Actions. */
export const seenBy =
  (context: Context<Env>) =>
  ({ site, environment }: Place): boolean => {
    const { run } = context.get("caller");
    return run === undefined || mayUse(run, { site, environment });
  };

const mayUse = ({ places }: Run, { site, environment }: Place): boolean =>
  places.some((place) => place.site === site && place.environment === environment);

/**
 * What runs of GitHub Actions may do: put a source of their site there, deploy it to an environment whose rules they fit,
 * and look at that environment and its deployments. Whatever is not named here is refused. Other callers pass.
 */
export const githubRights = (ports: Pick<Ports, "config" | "read" | "views">): Hono<Env> => {
  const see = look(ports);
  const { sites } = ports.config;

  const allow = (run: Run, place: Place): void => {
    if (!mayUse(run, place)) throw new Problem(403, "github.rule", whyNot(run, place, sites));
  };
  const ofEnvironment: Check = (context, run) =>
    allow(run, { site: context.req.param("site") ?? "", environment: context.req.param("environment") ?? "" });
  const ofDeployment: Check = async (context, run) => {
    const id = DeploymentId.safeParse(context.req.param("id")).data;
    const found = id === undefined ? undefined : ((await ports.views.deployment(id)) ?? (await see.deployment(id).catch(unlessProblem)));
    // whether there is such a deployment elsewhere is not told
    if (found === undefined || !mayUse(run, found))
      throw new Problem(
        403,
        "github.rights",
        `A run of ${run.claims.repository} may look at deployments of ${placesOf(run)} alone, each by its whole id.`,
      );
  };
  const guard =
    (check: Check): MiddlewareHandler<Env> =>
    async (context, next) => {
      const caller = context.get("caller");
      if (caller.run !== undefined) {
        await check(context, caller.run);
        context.set("granted", true);
      }
      await next();
    };

  return new Hono<Env>()
    .post(
      "/sources",
      guard(async (context, run) => {
        const { site } = await formOf(context, PrepareSource);
        if (!run.places.some((place) => place.site === site))
          throw new Problem(403, "github.rule", `No rule lets this run of ${run.claims.repository} deploy to an environment of ${site}.`);
      }),
    )
    .post(
      "/deployments",
      guard(async (context, run) => allow(run, await formOf(context, RequestDeployment))),
    )
    .get(
      "/environments",
      guard((_, run) => {
        if (run.places.length === 0)
          throw new Problem(403, "github.rule", `No rule of this engine's sites file fits this run of ${run.claims.repository}.`);
      }),
    )
    .get("/environments/:site/:environment", guard(ofEnvironment))
    .get("/environments/:site/:environment/events", guard(ofEnvironment))
    .get("/deployments/:id", guard(ofDeployment))
    .get("/deployments/:id/events", guard(ofDeployment))
    .get("/deployments/:id/logs", guard(ofDeployment))
    .use("*", async (context, next) => {
      const { run } = context.get("caller");
      if (run !== undefined && context.get("granted") !== true)
        throw new Problem(
          403,
          "github.rights",
          `A run of GitHub Actions may deploy and look at its deployments, and nothing else: ${context.req.method} ${context.req.path} needs a token of this engine.`,
        );
      await next();
    });
};

const placesOf = ({ places }: Run): string =>
  places.map(({ site, environment }) => `${site}/${environment}`).join(", ") || "no environment";

const unlessProblem = (error: unknown): undefined => {
  if (!(error instanceof Problem)) throw error;
};
