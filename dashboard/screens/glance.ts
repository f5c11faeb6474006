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

/** What is live and what is on its way, a line each, for who cannot see the page change. */
export const saysOf = ({ environment: { site, environment, live, flipping, waiting, pin, lock }, recent }: Glance): string[] => {
  const place = `${site} / ${environment}`;
  const moving = recent.filter(({ status }) => !isEnd(status)).map(({ sequence, status }) => `${place}: #${sequence} is ${status}`);
  return [
    `${place}: ${live === null ? "nothing is live" : `#${live.sequence} is live`}`,
    ...(flipping === null ? [] : [`${place}: going to #${flipping.sequence}`]),
    ...(waiting === null ? [] : [`${place}: #${waiting.sequence} is held`]),
    ...(pin === null ? [] : [`${place} is pinned`]),
    ...(lock === null ? [] : [`${place} is locked`]),
    ...moving,
  ];
};
