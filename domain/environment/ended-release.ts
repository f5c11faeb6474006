import { type Refusal, refuse } from "../kernel/decider.ts";
import type { EnvironmentCommand } from "./commands.ts";
import type { EnvironmentEvent } from "./events.ts";
import type { Environment, Routed } from "./state.ts";

type Command<T extends EnvironmentCommand["type"]> = Extract<EnvironmentCommand, { type: T }>;
type Outcome = readonly EnvironmentEvent[] | Refusal;

/** Releases that a refusal names. */
const MAX_NAMED = 10;

/** Releases that what names them reaches, besides what is live: each takes a row of the edge's table, and room in every state. */
export const MAX_REACHED = 50;

/** A release whose time is over, or that newer ones leave no room: what names it is sent to what is live. */
export function endRelease({ release, reason, at }: Command<"EndRelease">, state: Environment): Outcome {
  const routed = state.routes.get(release);
  if (routed === undefined || routed.ended !== null || flipTo(state, routed) !== undefined) return [];
  if (isOver(routed, at)) return [ended(routed, reason)];
  return crowdedOut(state).has(release) ? [ended(routed, reason, `more than ${MAX_REACHED} newer releases are reached still`)] : [];
}

/** Those whose time is over first, of more than there is room for. */
export const crowdedOut = ({ routes }: Pick<Environment, "routes">): ReadonlySet<string> => {
  const reached = [...routes].flatMap(([release, { until, ended }]) => (until !== null && ended === null ? [{ release, until }] : []));
  const tooMany = reached.length - MAX_REACHED;
  if (tooMany <= 0) return new Set();
  reached.sort((a, b) => (a.until < b.until ? -1 : 1));
  return new Set(reached.slice(0, tooMany).map(({ release }) => release));
};

/** A person wants nobody to be sent to a release any more, however long it would be reached still. */
export function cutRelease({ deploymentId, why, at }: Command<"CutRelease">, state: Environment): Outcome {
  const routed = routedOf(state, deploymentId);
  if (state.live?.deploymentId === deploymentId || (routed !== undefined && isLive(state, routed)))
    return refuse("release.live", `${deploymentId} is what is live: deploy another or roll back, and cut it then`);
  const flip = flipTo(state, routed ?? { deploymentId });
  if (flip !== undefined)
    return refuse(
      "release.going-live",
      `${deploymentId} is going live (#${flip.sequence}): wait until that flip has ended, then look again`,
    );
  // its time was over, or it was cut, so long ago that its row is gone
  if (routed === undefined && state.edge !== null && state.everLive.has(deploymentId)) return [];
  if (routed === undefined) return refuse("release.not-routed", `nobody is sent to ${deploymentId}: ${sayRouted(state, at)}`);
  return routed.ended !== null || isOver(routed, at) ? [] : [ended(routed, "cut", why)];
}

/** From then on nothing makes that address again, so that what is deleted of it is nobody's. */
export function removeAddress({ release, address }: Command<"RemoveAddress">, state: Environment): Outcome {
  const routed = state.routes.get(release);
  if (routed === undefined || routed.route.address !== address || routed.ended === null) return [];
  // a flip that failed half-way may have sent visitors to any release: what puts that right comes first
  if (isLive(state, routed) || state.open.size > 0) return [];
  const { deploymentId, functions } = routed;
  return [{ type: "AddressRemoved", v: 1, body: { release, deploymentId, address, functions: [...functions] } }];
}

const ended = ({ deploymentId, route }: Routed, reason: "window" | "cut", why?: string): EnvironmentEvent => ({
  type: "ReleaseEnded",
  v: 1,
  body: { release: route.release, deploymentId, address: route.address, reason, ...(why !== undefined && { why }) },
});

const isOver = ({ until }: Routed, at: string): boolean => until !== null && until <= at;

const isLive = ({ edge }: Environment, { route }: Routed): boolean => edge?.route.release === route.release;

/** By the deployment that brought it here last, or by any that was the same release. */
const routedOf = ({ routes, everLive }: Environment, deploymentId: string): Routed | undefined =>
  [...routes.values()].find((one) => one.deploymentId === deploymentId) ??
  routes.get(everLive.get(deploymentId)?.release.id ?? deploymentId);

const flipTo = ({ open }: Environment, to: Pick<Routed, "deploymentId"> & Partial<Routed>) =>
  [...open.values()].find(({ deploymentId, release }) => deploymentId === to.deploymentId || release.id === to.route?.release);

const sayRouted = ({ routes }: Environment, at: string): string => {
  const reached = [...routes.values()].filter((one) => one.ended === null && !isOver(one, at)).map((one) => one.deploymentId);
  if (reached.length === 0) return "no release has a row in the edge's table";
  const more = reached.length - MAX_NAMED;
  return `the edge's table has ${reached.slice(-MAX_NAMED).join(", ")}${more > 0 ? ` and ${more} older` : ""}`;
};
