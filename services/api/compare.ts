import { Hono } from "hono";
import { readKnown } from "../../domain/aggregates.ts";
import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { type Commit, verifyChain } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { compare, type Side } from "../../domain/projections/compare.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { ChainBroken, unbroken } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { sha256 } from "../../engine/log/digest.ts";
import { NEWEST } from "../../engine/log/read-back.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import type { Env } from "./caller.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

/** A release goes live with about six commits: so far back two releases are looked for that are about a thousand apart. */
const PAGE = 200;
const MAX_PAGES = 30;

type Compared = { readonly deployment: DeploymentView; readonly events: readonly Recorded<DeploymentEvent>[] };
type Environment = { readonly events: readonly Recorded<EnvironmentEvent>[]; readonly isWhole: boolean };

/** `/v1/deployments/:id/compare/:other`: what is different between two releases of a site. */
export const comparisons = (ports: Pick<Ports, "config" | "read" | "readBack" | "views" | "released">) => {
  const see = look(ports);
  const read = unbroken(ports.read);

  const find = async (given: string): Promise<Compared> => {
    const id = await see.deploymentId(given);
    const events = (await read(deploymentStream(id), 0)).flatMap(eventsOf);
    const deployment = foldRow("deployments", undefined, events);
    if (deployment === undefined) throw new Problem(404, "deployment.unknown", `There is no deployment ${id}.`);
    return { deployment, events: readKnown("deployment", events) };
  };

  const sideOf = async ({ deployment, events }: Compared, environment: Environment["events"]): Promise<Side> => {
    const { release } = deployment;
    const [facts, publicFiles] = await Promise.all([
      Promise.all((release?.functions ?? []).map(async (of) => [`${of.name}:${of.version}`, await ports.released.facts(of)] as const)),
      release === null ? undefined : ports.released.publicFiles(release.manifest),
    ]);
    const known = new Map(facts.flatMap(([name, found]) => (found === undefined ? [] : [[name, found] as const])));
    return { deployment, events, environment, facts: known, publicFiles };
  };

  return new Hono<Env>().get("/:id/compare/:other", async (context) => {
    const [from, to] = await Promise.all([find(context.req.param("id")), find(context.req.param("other"))]);
    const [one, other] = [from.deployment, to.deployment];
    if (one.site !== other.site)
      throw new Problem(
        409,
        "compare.sites",
        `${one.id} is of ${one.site} and ${other.id} of ${other.site}: only releases of one site can be compared.`,
      );
    const isOnePlace = one.environment === other.environment;
    const [before, after] = isOnePlace
      ? await sinceAdmission(ports, one.sequence <= other.sequence ? one : other).then((both) => [both, both] as const)
      : await Promise.all([sinceAdmission(ports, one), sinceAdmission(ports, other)]);
    const sides = await Promise.all([sideOf(from, before.events), sideOf(to, after.events)]);
    return context.json({ comparison: compare(...sides, before.isWhole && after.isWhole) });
  });
};

/** The environment's events from a deployment's admission on. The stream is read backwards, and no further than that. */
async function sinceAdmission(
  { readBack }: Pick<Ports, "readBack">,
  { site, environment, id }: Pick<DeploymentView, "site" | "environment" | "id">,
): Promise<Environment> {
  const stream = environmentStream(site, environment);
  const commits: Commit[] = [];
  const events = (): Recorded<EnvironmentEvent>[] => readKnown("environment", commits.toReversed().flatMap(eventsOf));
  for (let page = 0; page < MAX_PAGES; page++) {
    const older = await readBack(stream, commits.at(-1)?.version ?? NEWEST, PAGE);
    commits.push(...older);
    const isFound = older.some((commit) => eventsOf(commit).some((event) => isAdmission(event, id)));
    if (isFound || older.at(-1) === undefined || older.at(-1)?.version === 1) {
      refuseBroken(commits);
      return { events: events(), isWhole: true };
    }
  }
  refuseBroken(commits);
  return { events: events(), isWhole: false };
}

/** @throws ChainBroken */
const refuseBroken = (newestFirst: readonly Commit[]): void => {
  const fault = verifyChain(sha256, newestFirst.toReversed(), (newestFirst.at(-1)?.version ?? 1) - 1);
  if (fault !== undefined) throw new ChainBroken(fault);
};

const isAdmission = ({ type, body }: Recorded, id: string): boolean =>
  type === "DeploymentAdmitted" && (body as { deploymentId?: unknown }).deploymentId === id;
