import type { EnvironmentEvent, LiveRelease } from "./events.ts";

/** How a release was taken down: by the rollback with that sequence, to another one. */
export type TakenDown = {
  readonly by: string;
  readonly rollback: number;
  readonly to: string;
  readonly why: string | undefined;
  /** it was live when the rollback came, and not only on the way that the rollback went back */
  readonly wasLive: boolean;
};

/** What an environment knows of the way back. */
export type Standing = {
  /** what people chose to have live and no rollback took down since, oldest first */
  standing: string[];
  /** what a rollback took down, until somebody chooses it again */
  takenDown: Map<string, TakenDown>;
  /** releases that turned out not to run, with the reason, until they went live again */
  unfit: Map<string, string>;
};

/** Releases that are remembered for the way back; and as many that were taken down. */
export const MAX_STANDING = 30;

type WentLive = Extract<EnvironmentEvent, { type: "ReleaseWentLive" }>["body"];

/**
 * What a release that goes live means for the way back. A deployment goes on top of it; a rollback to a release on it takes
 * down all above; a rollback to any other (one that was taken down) chooses that one again; a restore is nobody's choice.
 *
 * @param why the reason that was given for the flip
 */
export const stand = (
  state: Standing & { readonly live: LiveRelease | null },
  { deploymentId, sequence, reason, actor, unproven }: WentLive,
  why: string | undefined,
): void => {
  // a release that was forced past its probe has not been seen to run
  if (unproven === undefined) state.unfit.delete(deploymentId);
  if (reason === "restore") return;
  const index = state.standing.lastIndexOf(deploymentId);
  // what is remembered no more was live before all that is
  const isForgotten = index < 0 && !state.takenDown.has(deploymentId);
  if (reason === "rollback" && (index >= 0 || isForgotten)) {
    for (const above of state.standing.splice(index + 1))
      state.takenDown.set(above, { by: actor, rollback: sequence, to: deploymentId, why, wasLive: above === state.live?.deploymentId });
    if (isForgotten) state.standing.push(deploymentId);
  } else {
    if (index >= 0) state.standing.splice(index, 1);
    state.standing.push(deploymentId);
    state.takenDown.delete(deploymentId);
  }
  forgetOldest(state);
};

/** Those that stand and those that were taken down are forgotten apart: many rollbacks leave what stands as it is. */
const forgetOldest = ({ standing, takenDown }: Pick<Standing, "standing" | "takenDown">): void => {
  standing.splice(0, standing.length - MAX_STANDING);
  if (takenDown.size <= MAX_STANDING) return;
  const old = [...takenDown].sort(([, a], [, b]) => b.rollback - a.rollback).slice(MAX_STANDING);
  for (const [deploymentId] of old) takenDown.delete(deploymentId);
};
