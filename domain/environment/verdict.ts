import type { GoRule, StayRule } from "./keep.ts";
import { isPlan, rollbackPlan } from "./rollback-plan.ts";
import type { Environment } from "./state.ts";

/** A deployment that may have left something behind. Times are ISO 8601. */
export type Candidate = {
  readonly deploymentId: string;
  /** the id that its build was made with: a retry has that of the deployment before */
  readonly release: string;
  readonly hasEnded: boolean;
  readonly madeAt: string;
  readonly wasLive: boolean;
  /** it was swept before, and something of it was left */
  readonly isSwept: boolean;
};

export type Verdict = { readonly stays: StayRule } | { readonly goes: GoRule };

/** What of an environment's past the rules go by besides its state. */
export type Recent = {
  /** made since then, a release is young */
  readonly youngSince: string;
  /** deployments that were live within the window */
  readonly inWindow: ReadonlySet<string>;
  /** deployments of which a flip came to nothing in the last hours: whoever was at it may stand still, and go on */
  readonly mayFlip: ReadonlySet<string>;
  /** releases that a flip found at the edge, so that what names them reaches them for a while, also where the log never had them live */
  readonly sentOn: ReadonlySet<string>;
};

type Named = Pick<Candidate, "deploymentId" | "release">;

/**
 * Asks why a release may not go, whatever its age: what is decided of an environment next may need it. This is asked when releases
 * are marked, and again at the moment in which they are taken.
 *
 * @param releases of those that were live last, so many stay
 * @param served ids of releases and deployments that visitors are sent to, whatever the log says; none where nobody looked
 */
export const protectedIn = (
  state: Environment,
  releases: number,
  served: Iterable<string> = [],
): ((named: Named) => StayRule | undefined) => {
  const ids = (list: Iterable<{ readonly deploymentId: string }>) => new Set([...list].map(({ deploymentId }) => deploymentId));
  const lastLive = [...state.everLive.values()].sort((a, b) => b.sequence - a.sequence).slice(0, releases);
  const plan = rollbackPlan(state);
  const flips = [...state.open.values()];
  const reached = new Set([...state.routes.keys(), ...ids(state.routes.values()), ...served]);
  const by: readonly (readonly [StayRule, ReadonlySet<string>])[] = [
    ["live", new Set(state.live === null ? [] : [state.live.deploymentId])],
    ["going-live", ids(flips)],
    ["moved-to", ids(state.aliases.values())],
    ["held", ids(state.waiting === null ? [] : [state.waiting])],
    ["kept", state.kept],
    ["pinned", new Set(state.pinnedRelease === null ? [] : [state.pinnedRelease])],
    ["last-live", ids(lastLive)],
    ["way-back", new Set([...state.standing.slice(-releases), ...(isPlan(plan) ? [plan.to.deploymentId] : [])])],
  ];
  return ({ deploymentId, release }) => {
    const found = by.find(([, set]) => set.has(deploymentId))?.[0];
    if (found === "live" || found === "going-live" || found === "moved-to" || found === "held") return found;
    return reached.has(release) || reached.has(deploymentId) ? "reached" : found;
  };
};

/** Whether a release stays or goes, and by which rule. @param isProtected as `protectedIn` says */
export const verdictOf = (isProtected: (named: Named) => StayRule | undefined, one: Candidate, recent: Recent): Verdict => {
  const stays = isProtected(one);
  if (stays !== undefined) return { stays };
  if (!one.hasEnded) return { stays: "under-way" };
  if (recent.sentOn.has(one.release)) return { stays: "reached" };
  if (recent.mayFlip.has(one.deploymentId)) return { stays: "may-flip" };
  const goes = one.wasLive ? "was-live" : "never-live";
  if (one.isSwept) return { goes };
  if (recent.inWindow.has(one.deploymentId)) return { stays: "window" };
  return one.madeAt >= recent.youngSince ? { stays: "young" } : { goes };
};
