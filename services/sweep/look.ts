import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { GoRule } from "../../domain/environment/keep.ts";
import type { Sweep } from "../../domain/environment/state.ts";
import { each } from "../../engine/kit/each.ts";
import { sayBlocked } from "../../engine/sweep/explain.ts";
import { deploymentIn, type Found } from "../../engine/sweep/found.ts";
import { filesIn } from "../../engine/sweep/others.ts";
import type { Place } from "../../engine/sweep/place.ts";
import { type Plan, type Ports as PlanPorts, planOf } from "../../engine/sweep/plan.ts";
import { isServed, type Served, type Ports as ServedPorts, servedAt } from "../../engine/sweep/served.ts";

export type Ports = PlanPorts & ServedPorts;

export type Going = Extract<EnvironmentEvent, { type: "ReleasesMarked" }>["body"]["releases"][number];

/** Deployments that are asked at a time. */
export const WIDTH = 8;

/** What goes by the rules at this moment. */
export type Looked = {
  readonly releases: Going[];
  /** what each of them has */
  readonly found: Plan["going"];
  /** why nothing goes, where that is so; what is claimed already may be half gone */
  readonly blocked?: string | undefined;
  /** the last flip that had been requested; null where the claim is taken over */
  readonly flipped: number | null;
  readonly files: Plan["files"];
};

/** Those of which the rules say it, each with its rule. */
export const goingOf = ({ going, judged }: Plan): Going[] => {
  const rules = new Map(judged.flatMap(({ one, verdict }) => ("goes" in verdict ? [[one.deploymentId, verdict.goes] as const] : [])));
  return going.flatMap(({ deploymentId, release }) => {
    const rule: GoRule | undefined = rules.get(deploymentId);
    return rule === undefined ? [] : [{ deploymentId, release, rule }];
  });
};

/** Asks the rules once more, right before what they say is claimed. */
export const stillGoing = async (ports: Ports, place: Place): Promise<Looked> => {
  const plan = await planOf(ports, place, { served: await servedAt(ports, place) });
  const { going: found, flipped, files } = plan;
  return { releases: goingOf(plan), found, flipped, files, blocked: sayBlocked(plan) };
};

/** Files are looked at before a claim, since there may be millions of them, and it lasts for minutes. */
export const lookTaken = async (ports: Ports, place: Place, { releases }: Sweep): Promise<Looked> => {
  const found: Found[] = [];
  await each(releases, WIDTH, async ({ deploymentId }) => {
    const one = await deploymentIn(ports, place, deploymentId);
    if (one !== undefined) found.push(one);
  });
  return { releases: [...releases], found, flipped: null, files: await filesIn(ports, place) };
};

/** What visitors are sent to of what was claimed, since a hand may have moved them meanwhile. */
export const saySent = ({ found }: Looked, releases: readonly Going[], served: Served): string | undefined => {
  const claimed = new Set(releases.map(({ deploymentId }) => deploymentId));
  const sent = found
    .filter(({ deploymentId }) => claimed.has(deploymentId))
    .find((one) => served.ids.has(one.deploymentId) || served.ids.has(one.release) || isServed(served, one));
  return sent && `visitors are sent to ${sent.deploymentId} by now`;
};
