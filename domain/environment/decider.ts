import { type Decider, type Refusal, refuse } from "../kernel/decider.ts";
import { withReason } from "../kernel/reason.ts";
import type { EnvironmentCommand } from "./commands.ts";
import { endEdgeDrift, recordEdgeDrift } from "./edge-drift.ts";
import { cutRelease, endRelease, removeAddress } from "./ended-release.ts";
import type { EnvironmentEvent } from "./events.ts";
import { isWeighted, readFence } from "./fence.ts";
import { isForgotten } from "./remembered.ts";
import { everLiveAs, isPlan, rollbackPlan } from "./rollback-plan.ts";
import { driftKey, type Environment, evolve, type Flip, initial, isTarget, lockAt } from "./state.ts";
import { beginSweep, dropMark, endSweep, keepRelease, markReleases, putOffSweep, unkeepRelease } from "./sweep.ts";

export const environment: Decider<EnvironmentCommand, Environment, EnvironmentEvent> = {
  shape: 3,
  initial,
  evolve,
  decide(given, state) {
    const command = withReason(given);
    switch (command.type) {
      case "AdmitDeployment":
        return admit(command, state);
      case "RequestFlip":
        return requestFlip(command, state);
      case "RequestRollback":
        return rollback(command, state);
      case "RecordAliasFlipped":
        return aliasFlipped(body(command), state);
      case "RecordWentLive":
        return wentLive(command, state);
      case "RecordFlipSuperseded":
        return endFlip(state, command.sequence, (flip) =>
          command.by > state.flipped ? [] : [superseded(flip, command.by), ...takePinBack(flip, state)],
        );
      case "RecordFlipFailed":
        return endFlip(state, command.sequence, (flip) => failed(command, flip, state));
      case "RestoreLive":
        return state.open.size > 0 || command.sequence <= (state.live?.sequence ?? command.sequence)
          ? []
          : restore(state, `an alias was left at sequence ${command.sequence} by a flip that had ended`);
      case "RestoreEdge":
        return state.open.size > 0 || command.sequence !== state.live?.sequence ? [] : restore(state, LOST[command.lost]);
      case "EndRelease":
        return endRelease(command, state);
      case "CutRelease":
        return cutRelease(command, state);
      case "RemoveAddress":
        return removeAddress(command, state);
      case "KeepRelease":
        return keepRelease(command, state);
      case "UnkeepRelease":
        return unkeepRelease(command, state);
      case "MarkReleases":
        return markReleases(command, state);
      case "BeginSweep":
        return beginSweep(command, state);
      case "PutOffSweep":
        return putOffSweep(command, state);
      case "EndSweep":
        return endSweep(command, state);
      case "DropMark":
        return dropMark(command, state);
      case "WithdrawFlip":
        return state.waiting?.deploymentId === command.deploymentId
          ? [
              {
                type: "FlipWithdrawn",
                v: 1,
                body: { sequence: state.waiting.sequence, deploymentId: command.deploymentId, reason: command.reason },
              },
            ]
          : [];
      case "RecordDrift":
        return recordDrift(command, state);
      case "RecordDriftEnded":
        return state.drift.has(command.function) ? [{ type: "AliasDriftEnded", v: 1, body: body(command) }] : [];
      case "RecordEdgeDrift":
        return recordEdgeDrift(command, state);
      case "RecordEdgeDriftEnded":
        return endEdgeDrift(command, state);
      case "PinEnvironment":
        // a rollback that fails takes its pin with it: a person's stays
        return state.pinned && !isPinnedByOpenRollback(state) ? [] : [pin(command.reason, state.live?.deploymentId ?? null)];
      case "UnpinEnvironment":
        return unpin(command, state);
      case "LockEnvironment":
        return lock(command, state);
      case "UnlockEnvironment":
        return unlock(command, state);
      case "ExpireLock":
        return state.lock !== null && lockAt(state, command.at) === null ? opened(state, { reason: "it expired" }) : [];
      case "SetVariables":
        return command.variables.flatMap((variable) =>
          isNoted(state, variable) ? [] : [{ type: "VariableSet" as const, v: 1 as const, body: variable }],
        );
      case "RemoveVariable":
        return isNoted(state, { ...command, fingerprint: null }) ? [] : [{ type: "VariableRemoved", v: 1, body: body(command) }];
      case "RecordVariablesRead":
        return [{ type: "VariablesRead", v: 1, body: { names: [...command.names] } }];
    }
  },
};

type Command<T extends EnvironmentCommand["type"]> = Extract<EnvironmentCommand, { type: T }>;
type Outcome = readonly EnvironmentEvent[] | Refusal;
type Noted = { name: string; fingerprint: string | null; revision: number };

const body = <C extends { type: string }>({ type: _, ...rest }: C): Omit<C, "type"> => rest;

/** Whether the log has it; another revision of the same value is news, where a change that is not in the log yet lies between. */
const isNoted = ({ variables }: Environment, { name, fingerprint, revision }: Noted): boolean => {
  const noted = variables.get(name);
  return noted !== undefined && noted.fingerprint === fingerprint && noted.revision >= revision;
};

const LOST = { row: "the table of its edge had no row of what is live", address: "an address of what is live was gone" };

/** What no person asked for. */
const NOBODY = "shiplog";

const superseded = ({ sequence, deploymentId, reason }: Flip, by: number): EnvironmentEvent => ({
  type: "FlipSuperseded",
  v: 1,
  body: { sequence, deploymentId, reason, by },
});

const flipRequested = ({ sequence, deploymentId, release, reason, actor, why, forced }: Flip, state: Environment): EnvironmentEvent => ({
  type: "FlipRequested",
  v: 1,
  body: {
    sequence,
    deploymentId,
    release,
    reason,
    actor,
    ...(why !== undefined && { why }),
    ...(forced && { forced }),
    previous: state.live,
  },
});

const pin = (reason: string, deploymentId: string | null, rollback?: number): EnvironmentEvent => ({
  type: "EnvironmentPinned",
  v: 1,
  body: { reason, deploymentId, ...(rollback !== undefined && { rollback }) },
});

const isPinnedByOpenRollback = ({ pinnedBy, open }: Environment): boolean => pinnedBy !== null && open.has(pinnedBy);

const refusedByLock = (state: Environment, actor: string, at: string): Refusal | undefined => {
  const held = lockAt(state, at);
  if (held === null || held.holder === actor) return undefined;
  return refuse(
    "environment.locked",
    `${held.holder} has locked it${held.until === null ? "" : ` until ${held.until}`}; ask them, or unlock it with force`,
  );
};

/** Once for each flip and alias, and only of a flip that was asked for. */
function aliasFlipped(move: AliasFlipped["body"], state: Environment): readonly EnvironmentEvent[] {
  const isNews = move.sequence > (state.aliases.get(move.function)?.sequence ?? 0) && isTarget(state, move, move.function, move.to);
  return isNews ? [{ type: "AliasFlipped", v: 1, body: move }] : [];
}
type AliasFlipped = Extract<EnvironmentEvent, { type: "AliasFlipped" }>;

/** A look that a flip has overtaken since is no drift: it expects what is past, or found what that flip put there. */
function recordDrift({ function: name, expected, found }: Command<"RecordDrift">, state: Environment): Outcome {
  const recorded = state.aliases.get(name);
  if ((expected?.sequence ?? 0) !== (recorded?.sequence ?? 0)) return [];
  const fence = found === null ? undefined : readFence(found.description);
  if (found !== null && fence !== undefined && !isWeighted(found) && fence.sequence > (recorded?.sequence ?? 0))
    if (isTarget(state, fence, name, found.version)) return [];
  return state.drift.get(name) === driftKey(found) ? [] : [{ type: "AliasDriftDetected", v: 1, body: { function: name, expected, found } }];
}

/** The sequence is given here, when it is asked for: that is what "newest" means from then on. */
function admit({ request, actor, at }: Command<"AdmitDeployment">, state: Environment): Outcome {
  const { deploymentId } = request;
  if (state.pending.has(deploymentId)) return [];
  return (
    refusedByLock(state, actor, at) ?? [
      { type: "DeploymentAdmitted", v: 1, body: { deploymentId, sequence: state.sequence + 1, request, previous: state.latest } },
    ]
  );
}

/**
 * Newest wins: what is at or below the newest that was chosen is history. A deployment asks once. One that the state does not
 * remember any more, since so many came after it, is history as well.
 */
function requestFlip({ deploymentId, sequence, release, actor, at }: Command<"RequestFlip">, state: Environment): Outcome {
  const flip: Flip = { sequence, deploymentId, release, reason: "deploy", actor };
  if (!state.pending.has(deploymentId)) return isForgotten(state, sequence) ? [superseded(flip, state.sequence)] : [];
  const newer = Math.max(state.chosen, state.waiting?.sequence ?? 0);
  if (sequence <= newer) return [superseded(flip, newer)];
  const lockedBy = lockAt(state, at);
  const by = state.pinned ? "pin" : lockedBy !== null && lockedBy.holder !== actor ? "lock" : undefined;
  if (by === undefined) return state.waiting === null ? [go(flip, state)] : [superseded(state.waiting, sequence), go(flip, state)];
  const held: EnvironmentEvent = {
    type: "FlipHeld",
    v: 1,
    body: {
      sequence,
      deploymentId,
      release,
      actor,
      by,
      ...(by === "lock" && lockedBy !== null && { because: `${lockedBy.holder} has locked it` }),
      replaces: state.waiting && { sequence: state.waiting.sequence, deploymentId: state.waiting.deploymentId },
    },
  };
  return state.waiting === null ? [held] : [superseded(state.waiting, sequence), held];
}

/** A deployment keeps its sequence, unless a restore took a higher one since: the alias would not move for a lower one. */
const go = (flip: Flip, state: Environment): EnvironmentEvent =>
  flipRequested(flip.sequence > state.flipped ? flip : { ...flip, sequence: state.sequence + 1 }, state);

/** An explicit step back takes a new, higher sequence, so that nothing older can undo it, and pins the environment. */
function rollback({ to, from, why, force = false, past, actor, at }: Command<"RequestRollback">, state: Environment): Outcome {
  const locked = refusedByLock(state, actor, at);
  if (locked !== undefined) return locked;
  const plan = rollbackPlan(state, to, past);
  if (!isPlan(plan)) return plan;
  if (plan.already === "live") return [];
  const isUnforced = force && state.open.get(plan.to.sequence)?.forced !== true;
  if (plan.already === "under-way" && state.pinned && !isUnforced) return [];
  if (from !== undefined && plan.already === null && from !== plan.from.deploymentId)
    return refuse(
      "rollback.changed",
      `it was to leave ${from}, but by now ${plan.from.deploymentId} ${plan.from.goingLive ? "is going live" : "is live"}; look again`,
    );
  const { deploymentId } = plan.to;
  const release = everLiveAs(state, deploymentId, past)?.release;
  if (release === undefined) return refuse("release.never-live", `${deploymentId} was never live here`);
  const sequence = state.sequence + 1;
  return [
    ...(state.waiting === null ? [] : [superseded(state.waiting, sequence)]),
    flipRequested({ sequence, deploymentId, release, reason: "rollback", actor, why, forced: force }, state),
    ...(state.pinned && !isPinnedByOpenRollback(state) ? [] : [pin(why ?? `rolled back to ${deploymentId}`, deploymentId, sequence)]),
  ];
}

/** A rollback that does not come about takes the pin back that it set, and lets go what waited for it. */
function takePinBack({ sequence, deploymentId }: Flip, state: Environment): readonly EnvironmentEvent[] {
  if (state.pinnedBy !== sequence) return [];
  const unpinned: EnvironmentEvent = {
    type: "EnvironmentUnpinned",
    v: 1,
    body: { reason: `the rollback to ${deploymentId} (#${sequence}) did not come about`, rollback: sequence },
  };
  // a lock whose time is over still stands here: the reconciler ends it, and what waits goes then
  return state.waiting === null || state.lock !== null ? [unpinned] : [unpinned, go(state.waiting, state)];
}

function wentLive({ sequence, unproven, edge, moves = [], cleared = [] }: Command<"RecordWentLive">, state: Environment): Outcome {
  const flip = state.open.get(sequence);
  if (flip === undefined) return [];
  if (state.live !== null && state.live.sequence > sequence) return [superseded(flip, state.live.sequence), ...takePinBack(flip, state)];
  const { deploymentId, release, reason, actor } = flip;
  return [
    ...moves.flatMap((move) => aliasFlipped({ sequence, deploymentId, ...move }, state)),
    ...release.functions.flatMap(({ name, version }): EnvironmentEvent[] =>
      cleared.includes(name) && state.drift.has(name)
        ? [{ type: "AliasDriftEnded", v: 1, body: { function: name, version, sequence } }]
        : [],
    ),
    ...(edge === undefined ? [] : [{ type: "EdgeSwitched", v: 1, body: { sequence, deploymentId, ...edge } } as const]),
    {
      type: "ReleaseWentLive",
      v: 1,
      body: {
        sequence,
        deploymentId,
        release,
        reason,
        actor,
        ...(unproven !== undefined && { unproven: withReason({ reason: unproven }).reason }),
        previous: state.live,
      },
    },
  ];
}

const endFlip = (state: Environment, sequence: number, events: (flip: Flip) => readonly EnvironmentEvent[]): Outcome => {
  const flip = state.open.get(sequence);
  return flip === undefined ? [] : events(flip);
};

/** A set that was moved in part is put back, unless something newer is on its way anyway. */
function failed(
  { sequence, reason, moved, unfit }: Command<"RecordFlipFailed">,
  flip: Flip,
  state: Environment,
): readonly EnvironmentEvent[] {
  const failure: EnvironmentEvent = {
    type: "FlipFailed",
    v: 1,
    body: { sequence, deploymentId: flip.deploymentId, flip: flip.reason, reason, ...(unfit === true && { unfit }) },
  };
  const unpinned = takePinBack(flip, state);
  const isNewer = Math.max(state.live?.sequence ?? 0, ...state.open.keys()) > sequence || unpinned.length > 1;
  if (!moved || flip.reason === "restore" || isNewer) return [failure, ...unpinned];
  return [failure, ...restore(state, `flip ${sequence} failed half-way`), ...unpinned];
}

/** Puts back what is live, with a sequence of its own; nothing where nothing is live. */
function restore(state: Environment, why: string): readonly EnvironmentEvent[] {
  const live = state.live === null ? undefined : state.everLive.get(state.live.deploymentId);
  if (live === undefined) return [];
  const { deploymentId, release } = live;
  return [flipRequested({ sequence: state.sequence + 1, deploymentId, release, reason: "restore", actor: NOBODY, why }, state)];
}

function unpin({ reason, at }: Command<"UnpinEnvironment">, state: Environment): Outcome {
  if (!state.pinned) return [];
  const unpinned: EnvironmentEvent = { type: "EnvironmentUnpinned", v: 1, body: reason === undefined ? {} : { reason } };
  return state.waiting === null || lockAt(state, at) !== null ? [unpinned] : [unpinned, go(state.waiting, state)];
}

function lock({ reason, until, actor, at }: Command<"LockEnvironment">, state: Environment): Outcome {
  if (until !== null && until <= at) return refuse("lock.expired", `the lock would end at ${until}, which is not after now`);
  return refusedByLock(state, actor, at) ?? [{ type: "EnvironmentLocked", v: 1, body: { holder: actor, reason, until } }];
}

function unlock({ reason, force, actor, at }: Command<"UnlockEnvironment">, state: Environment): Outcome {
  if (state.lock === null) return [];
  const locked = force ? undefined : refusedByLock(state, actor, at);
  return locked ?? opened(state, reason === undefined ? {} : { reason });
}

function opened(state: Environment, why: { reason?: string }): readonly EnvironmentEvent[] {
  const unlocked: EnvironmentEvent = { type: "EnvironmentUnlocked", v: 1, body: { holder: state.lock?.holder ?? "", ...why } };
  return state.waiting === null || state.pinned ? [unlocked] : [unlocked, go(state.waiting, state)];
}
