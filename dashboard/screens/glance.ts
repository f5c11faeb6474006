import type { Client } from "../../client/client.ts";
import { type DeploymentView, isEnd } from "../../domain/projections/views.ts";
import { must } from "../engine.ts";
import type { Environment, Glance } from "../environments.ts";
import { LATER, type Screen, SOON } from "../layout.ts";

/** Something is on its way in one of them, or nothing is. */
export const everyOf = (glances: readonly Glance[]): number =>
  glances.some(({ environment, recent }) => environment.flipping !== null || recent.some(({ status }) => !isEnd(status))) ? SOON : LATER;

/** What is live, of the newest deployments, or asked for by itself. @throws Refused */
export const liveOf = async (
  client: Client,
  { live }: Environment,
  recent: readonly DeploymentView[],
  { at }: Screen,
): Promise<DeploymentView | undefined> => {
  if (live === null) return undefined;
  return recent.find(({ id }) => id === live.deploymentId) ?? (await must(client.deployment(live.deploymentId, at))).deployment;
};

/** One environment as a list of it. */
export const inList = async (answer: ReturnType<Client["environment"]>): ReturnType<Client["environments"]> => {
  const result = await answer;
  return result.ok ? { ok: true, value: [result.value] } : result;
};
