import { hasEnded } from "../../../domain/deployment/decider.ts";
import { isPlan, rollbackPlan } from "../../../domain/environment/rollback-plan.ts";
import { deploymentOf } from "../../../domain/kernel/identity.ts";
import { manifestKey } from "../../../engine/open-next/manifest.ts";
import type { Cloud } from "../aws/cloud.ts";
import type { Ledger, Place } from "../ledger.ts";
import { placeAt, placed } from "./belongings.ts";
import { isAtVersion, servedAt } from "./served.ts";
import type { SweepWatch } from "./sweeps.ts";

/** At rest, where environments are swept all the time: no claim is open, and what nothing keeps is gone. */
export const checkSwept = (cloud: Cloud, ledger: Ledger, sweeps: SweepWatch): void => {
  const { world } = cloud;
  if (world.keep === undefined) return;
  for (const [stream, place] of ledger.places) {
    const { sweep } = place.state;
    if (sweep !== null && sweep.until !== null) world.violate(`${stream}: mark ${sweep.mark} is claimed still`);
    // what a clock ahead has dated is young, and is marked for later; what a hand holds is marked again and again
    if (world.faults.counts["clock-jump"] > 0 || sweeps.left.get(stream) !== undefined) continue;
    if (sweep !== null) world.violate(`${stream}: mark ${sweep.mark} was never swept, though it may be since ${sweep.after}`);
    const stays = new Set([...stayingIn(stream, place, sweeps, world.keep.releases), ...servedAt(cloud, stream).keys()]);
    const own = [...ledger.courses].filter(([, { state }]) => placed(state.request) === stream);
    for (const [of, { state }] of own) if (isAtVersion(cloud, state.functions ?? [])) stays.add(deploymentOf(of));
    for (const [of, { state }] of own)
      if (hasEnded(state) && !stays.has(deploymentOf(of))) checkGone(cloud, sweeps, stream, deploymentOf(of), [...stays]);
  }
};

/** What the log has any reason to keep. */
const stayingIn = (stream: string, { state }: Place, { neededIn }: SweepWatch, releases: number): ReadonlySet<string> => {
  const plan = rollbackPlan(state);
  const live = [...state.everLive.values()].sort((a, b) => b.sequence - a.sequence).slice(0, releases);
  return new Set([
    ...neededIn(stream).keys(),
    ...live.map(({ deploymentId }) => deploymentId),
    ...state.standing.slice(-releases),
    ...[...state.routes.values()].map(({ deploymentId }) => deploymentId),
    ...state.routes.keys(),
    ...(isPlan(plan) ? [plan.to.deploymentId] : []),
  ]);
};

const checkGone = (cloud: Cloud, { belongings }: SweepWatch, stream: string, id: string, stays: readonly string[]): void => {
  const { world, objects, lambda } = cloud;
  const place = placeAt(stream);
  const says = `${stream}: nothing keeps ${id}, and`;
  const isShared = (kind: string, name: string): boolean => stays.some((other) => belongings.owns(other, kind, name));
  if (objects.read("static", manifestKey(place.releases, id)) !== undefined) world.violate(`${says} its manifest is there`);
  // a release without a manifest is found by nobody: it never came so far
  if (belongings.manifestOf(place, id) === undefined) return;
  const server = belongings.functionsOf(id).find(({ role }) => role === "server");
  if (server !== undefined && !isShared("version", `${server.name}:${server.version}`))
    if (lambda.functions.get(server.name)?.versions.get(server.version)?.deleted === false)
      world.violate(`${says} version ${server.version} of ${server.name} is there`);
  const artifact = belongings.artifacts.get(id);
  if (artifact !== undefined && !isShared("artifact", artifact) && objects.read("artifacts", artifact) !== undefined)
    world.violate(`${says} its build ${artifact} is there`);
};
