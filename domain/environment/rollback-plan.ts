import { type Refusal, refuse } from "../kernel/decider.ts";
import type { LiveRelease } from "./events.ts";
import { isBeingSwept, sayBeingSwept, saySwept } from "./keep.ts";
import type { Environment, EverLive, Flip, PastRelease } from "./state.ts";

/** A release that a rollback does not go to by itself. `sequence`: the last that it went live with. `why`: one sentence. */
export type Skipped = {
  readonly deploymentId: string;
  readonly sequence: number;
  readonly is: "taken-down" | "passed-over" | "unfit" | "same-release";
  readonly why: string;
};

/** What a rollback would do. */
export type RollbackPlan = {
  /** what it leaves: what is going live at this moment, else what is live */
  readonly from: LiveRelease & { readonly goingLive: boolean };
  readonly to: LiveRelease;
  /** it is so already, or on its way: the sequence of that flip is `to`'s */
  readonly already: "live" | "under-way" | null;
  /** what it passes over on its way to `to`, newest first, at most `MAX_SKIPPED` */
  readonly skipped: readonly Skipped[];
  /** why `to` would not be gone to by itself, where it was named */
  readonly caution: Skipped | null;
};

export const MAX_SKIPPED = 20;

/**
 * Where a rollback goes: the one rule for commands, API and pages.
 *
 * Back is what was live directly before the present release by a person's choice: never what a rollback took down or went
 * past (until somebody chooses it again), never what turned out not to run, never the very same versions. While something
 * is going live, back is what is live now; while a rollback is under way, that one is meant. With `to` it goes there, where
 * that was ever live here, whatever speaks against it.
 *
 * @param past what the log says of `to`, where it was live too long ago for the state to remember it
 */
export const rollbackPlan = (state: Environment, to?: string, past?: PastRelease): RollbackPlan | Refusal => {
  const { live } = state;
  const swept = to === undefined ? undefined : refusedAsSwept(state, to, past);
  if (swept !== undefined) return swept;
  if (to !== undefined && everLiveAs(state, to, past) === undefined)
    return refuse("release.never-live", `${to} was never live here; only what was live can be rolled back to`);
  const going = goingLive(state);
  const present = going ?? live;
  if (present === null) return refuse("rollback.nothing", "nothing was ever live here");
  const from = { sequence: present.sequence, deploymentId: present.deploymentId, goingLive: going !== undefined };
  if (to !== undefined) return planTo(state, from, to, past);

  if (going?.reason === "rollback")
    return { from: { ...(live ?? going), goingLive: live === null }, to: liveOf(going), already: "under-way", skipped: [], caution: null };
  if (live === null) return refuse("rollback.nothing", `${present.deploymentId} is the first to go live here: cancel it instead`);

  const index = state.standing.lastIndexOf(live.deploymentId);
  const speaksAgainst: Skipped[] = [];
  for (let at = going === undefined ? index - 1 : index; at >= 0; at--) {
    const deploymentId = state.standing[at] as string;
    const against = unfitness(state, deploymentId) ?? sameAs(state, deploymentId, going ?? state.everLive.get(live.deploymentId));
    if (against === null) return found(state, from, deploymentId, speaksAgainst);
    speaksAgainst.push(against);
  }
  const all = [...speaksAgainst, ...takenDownAfter(state, 0)].sort(newestFirst);
  return refuse(
    "rollback.nothing",
    `nothing older was live here that can be gone back to${all
      .map(({ deploymentId, why }) => `; ${deploymentId}: ${why}`)
      .slice(0, MAX_SKIPPED)
      .join("")}`,
  );
};

/** What was taken away cannot go live again. */
const refusedAsSwept = (state: Environment, to: string, past: PastRelease | undefined): Refusal | undefined => {
  if (past?.deploymentId === to && past.swept !== undefined)
    return refuse("release.swept", `${to} ${saySwept(past.swept)}. Deploy its commit again`);
  return isBeingSwept(state, to) ? refuse("release.swept", sayBeingSwept(to)) : undefined;
};

/** A release that was live here, as the state remembers it or else as the log says. */
export const everLiveAs = ({ everLive }: Environment, deploymentId: string, past: EverLive | undefined): EverLive | undefined =>
  everLive.get(deploymentId) ?? (past?.deploymentId === deploymentId ? past : undefined);

export const isPlan = (outcome: RollbackPlan | Refusal): outcome is RollbackPlan => "from" in outcome;

/** The newest flip that has not ended and is not history. */
const goingLive = ({ open, live }: Environment): Flip | undefined => {
  let newest: Flip | undefined;
  for (const flip of open.values()) if (flip.sequence > (newest?.sequence ?? live?.sequence ?? 0)) newest = flip;
  return newest;
};

function found(state: Environment, from: RollbackPlan["from"], deploymentId: string, passed: readonly Skipped[]): RollbackPlan {
  const sequence = sequenceOf(state, deploymentId);
  const skipped = [...passed, ...takenDownAfter(state, sequence)].sort(newestFirst).slice(0, MAX_SKIPPED);
  return { from, to: { deploymentId, sequence }, already: alreadyAt(state, deploymentId), skipped, caution: null };
}

function planTo(state: Environment, from: RollbackPlan["from"], to: string, past: EverLive | undefined): RollbackPlan {
  const already = alreadyAt(state, to);
  const sequence = already === "under-way" ? from.sequence : (everLiveAs(state, to, past)?.sequence ?? 0);
  const caution = already === "live" ? null : (unfitness(state, to) ?? takenDown(state, to));
  return { from, to: { deploymentId: to, sequence }, already, skipped: [], caution };
}

const alreadyAt = (state: Environment, deploymentId: string): RollbackPlan["already"] => {
  if (state.open.size === 0) return state.live?.deploymentId === deploymentId ? "live" : null;
  return goingLive(state)?.deploymentId === deploymentId ? "under-way" : null;
};

const liveOf = ({ sequence, deploymentId }: LiveRelease): LiveRelease => ({ sequence, deploymentId });
const sequenceOf = ({ everLive }: Environment, deploymentId: string): number => everLive.get(deploymentId)?.sequence ?? 0;
const newestFirst = (a: Skipped, b: Skipped): number => b.sequence - a.sequence;

const unfitness = (state: Environment, deploymentId: string): Skipped | null => {
  const reason = state.unfit.get(deploymentId);
  return reason === undefined
    ? null
    : { deploymentId, sequence: sequenceOf(state, deploymentId), is: "unfit", why: `it could not be brought live: ${reason}` };
};

const takenDown = (state: Environment, deploymentId: string): Skipped | null => {
  const down = state.takenDown.get(deploymentId);
  if (down === undefined) return null;
  const { by, rollback, to, why, wasLive } = down;
  const how = wasLive ? `${by} rolled it back to ${to} (#${rollback})` : `${by}'s rollback to ${to} (#${rollback}) went past it`;
  return {
    deploymentId,
    sequence: sequenceOf(state, deploymentId),
    is: wasLive ? "taken-down" : "passed-over",
    why: why === undefined ? how : `${how}: ${why}`,
  };
};

/** What rollbacks took down of that which was live after a sequence. */
const takenDownAfter = (state: Environment, sequence: number): Skipped[] =>
  [...state.takenDown.keys()].flatMap((id) => (sequenceOf(state, id) > sequence ? (takenDown(state, id) ?? []) : []));

/** A retry publishes the same versions again: to go from one to the other would change nothing. */
const sameAs = (state: Environment, deploymentId: string, present: Pick<Flip, "deploymentId" | "release"> | undefined): Skipped | null => {
  const release = state.everLive.get(deploymentId)?.release;
  if (present === undefined || release === undefined || versionsOf(release) !== versionsOf(present.release)) return null;
  if (deploymentId === present.deploymentId) return null;
  return {
    deploymentId,
    sequence: sequenceOf(state, deploymentId),
    is: "same-release",
    why: `it is the same versions as ${present.deploymentId}`,
  };
};
const versionsOf = ({ functions }: Flip["release"]): string =>
  functions
    .map(({ name, version }) => `${name}:${version}`)
    .sort()
    .join();
