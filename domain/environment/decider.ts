import { type Decider, type Refusal, refuse } from "../kernel/decider.ts";
import { withReason } from "../kernel/reason.ts";
import type { EnvironmentCommand } from "./commands.ts";
import type { EnvironmentEvent } from "./events.ts";
import { type Environment, evolve, type Flip, initial, lockAt } from "./state.ts";

export const environment: Decider<EnvironmentCommand, Environment, EnvironmentEvent> = {
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
        return command.sequence > (state.aliases.get(command.function)?.sequence ?? 0)
          ? [{ type: "AliasFlipped", v: 1, body: body(command) }]
          : [];
      case "RecordWentLive":
        return wentLive(command, state);
      case "RecordFlipSuperseded":
        return endFlip(state, command.sequence, (flip) => [superseded(flip, command.by)]);
      case "RecordFlipFailed":
        return endFlip(state, command.sequence, (flip) => failed(command, flip, state));
      case "RestoreLive":
        return state.open.size > 0 || command.sequence <= (state.live?.sequence ?? command.sequence)
          ? []
          : restore(state, `an alias was left at sequence ${command.sequence} by a flip that had ended`);
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
        return state.drift.get(command.function) === JSON.stringify(command.found)
          ? []
          : [{ type: "AliasDriftDetected", v: 1, body: body(command) }];
      case "RecordDriftEnded":
        return state.drift.has(command.function) ? [{ type: "AliasDriftEnded", v: 1, body: body(command) }] : [];
      case "PinEnvironment":
        return state.pinned ? [] : [pin(command.reason, state)];
      case "UnpinEnvironment":
        return unpin(command, state);
      case "LockEnvironment":
        return lock(command, state);
      case "UnlockEnvironment":
        return unlock(command, state);
      case "ExpireLock":
        return state.lock !== null && lockAt(state, command.at) === null ? opened(state, { reason: "its time was over" }) : [];
      case "RecordEdgeInvalidated":
        return command.sequence > state.invalidated ? [{ type: "EdgeInvalidated", v: 1, body: body(command) }] : [];
      case "RecordEdgeInvalidationFailed":
        return command.sequence > state.invalidated ? [{ type: "EdgeInvalidationFailed", v: 1, body: body(command) }] : [];
    }
  },
};

type Command<T extends EnvironmentCommand["type"]> = Extract<EnvironmentCommand, { type: T }>;
type Outcome = readonly EnvironmentEvent[] | Refusal;

const body = <C extends { type: string }>({ type: _, ...rest }: C): Omit<C, "type"> => rest;

/** What no person asked for. */
const NOBODY = "shiplog";

const superseded = ({ sequence, deploymentId, reason }: Flip, by: number): EnvironmentEvent => ({
  type: "FlipSuperseded",
  v: 1,
  body: { sequence, deploymentId, reason, by },
});

const flipRequested = ({ sequence, deploymentId, release, reason, actor }: Flip, state: Environment, why?: string): EnvironmentEvent => ({
  type: "FlipRequested",
  v: 1,
  body: { sequence, deploymentId, release, reason, actor, ...(why !== undefined && { why }), previous: state.live },
});

const pin = (reason: string, state: Environment): EnvironmentEvent => ({
  type: "EnvironmentPinned",
  v: 1,
  body: { reason, deploymentId: state.live?.deploymentId ?? null },
});

const refusedByLock = (state: Environment, actor: string, at: string): Refusal | undefined => {
  const held = lockAt(state, at);
  if (held === null || held.holder === actor) return undefined;
  return refuse(
    "environment.locked",
    `${held.holder} has locked it${held.until === null ? "" : ` until ${held.until}`}; ask them, or unlock it with force`,
  );
};

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

/** Newest wins: what is at or below the newest that was chosen is history. A deployment asks once. */
function requestFlip({ deploymentId, sequence, release, actor, at }: Command<"RequestFlip">, state: Environment): Outcome {
  const flip: Flip = { sequence, deploymentId, release, reason: "deploy", actor };
  if (!state.pending.has(deploymentId)) return [];
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
function rollback({ to, why, actor, at }: Command<"RequestRollback">, state: Environment): Outcome {
  const locked = refusedByLock(state, actor, at);
  if (locked !== undefined) return locked;
  const target = to === undefined ? previousOf(state) : state.lived.get(to);
  if (target === undefined)
    return to === undefined
      ? refuse("rollback.nothing", "nothing older was ever live here")
      : refuse("release.never-live", `${to} was never live here; only what was live can be rolled back to`);
  if (state.open.size === 0 && state.live?.deploymentId === target.deploymentId) return [];
  if (state.pinned && state.open.get(state.flipped)?.deploymentId === target.deploymentId) return [];
  const sequence = state.sequence + 1;
  const flip: Flip = { sequence, deploymentId: target.deploymentId, release: target.release, reason: "rollback", actor };
  return [
    ...(state.waiting === null ? [] : [superseded(state.waiting, sequence)]),
    flipRequested(flip, state, why),
    ...(state.pinned
      ? []
      : [pin(why ?? `rolled back to ${target.deploymentId}`, { ...state, live: { sequence, deploymentId: target.deploymentId } })]),
  ];
}

/** The newest release that was live here and is older than what is live now. */
function previousOf(state: Environment) {
  const now = state.live === null ? undefined : state.lived.get(state.live.deploymentId);
  let found: ReturnType<typeof state.lived.get>;
  for (const lived of state.lived.values())
    if (now !== undefined && lived.order < now.order && lived.order > (found?.order ?? 0)) found = lived;
  return found;
}

function wentLive({ sequence }: Command<"RecordWentLive">, state: Environment): Outcome {
  const flip = state.open.get(sequence);
  if (flip === undefined) return [];
  if (state.live !== null && state.live.sequence > sequence) return [superseded(flip, state.live.sequence)];
  const { deploymentId, release, reason, actor } = flip;
  return [{ type: "ReleaseWentLive", v: 1, body: { sequence, deploymentId, release, reason, actor, previous: state.live } }];
}

const endFlip = (state: Environment, sequence: number, events: (flip: Flip) => readonly EnvironmentEvent[]): Outcome => {
  const flip = state.open.get(sequence);
  return flip === undefined ? [] : events(flip);
};

/** A set that was moved in part is put back, unless something newer is on its way anyway. */
function failed({ sequence, reason, moved }: Command<"RecordFlipFailed">, flip: Flip, state: Environment): readonly EnvironmentEvent[] {
  const failure: EnvironmentEvent = {
    type: "FlipFailed",
    v: 1,
    body: { sequence, deploymentId: flip.deploymentId, flip: flip.reason, reason },
  };
  const newer = Math.max(state.live?.sequence ?? 0, ...state.open.keys()) > sequence;
  return !moved || flip.reason === "restore" || newer ? [failure] : [failure, ...restore(state, `flip ${sequence} failed half-way`)];
}

/** Puts back what is live, with a sequence of its own; nothing where nothing is live. */
function restore(state: Environment, why: string): readonly EnvironmentEvent[] {
  const live = state.live === null ? undefined : state.lived.get(state.live.deploymentId);
  if (live === undefined) return [];
  const { deploymentId, release } = live;
  return [flipRequested({ sequence: state.sequence + 1, deploymentId, release, reason: "restore", actor: NOBODY }, state, why)];
}

function unpin({ reason, at }: Command<"UnpinEnvironment">, state: Environment): Outcome {
  if (!state.pinned) return [];
  const unpinned: EnvironmentEvent = { type: "EnvironmentUnpinned", v: 1, body: reason === undefined ? {} : { reason } };
  return state.waiting === null || lockAt(state, at) !== null ? [unpinned] : [unpinned, go(state.waiting, state)];
}

function lock({ reason, until, actor, at }: Command<"LockEnvironment">, state: Environment): Outcome {
  if (until !== null && until <= at) return refuse("lock.over", `the lock would end at ${until}, which is not after now`);
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
