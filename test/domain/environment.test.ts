import { describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { type Environment, lockAt } from "../../domain/environment/state.ts";
import { fold, isRefusal } from "../../domain/kernel/decider.ts";
import { asked, specification } from "../support/given.ts";
import { at, deploymentId, release, request } from "../support/samples.ts";

const given = specification(environment);
const made = asked(environment);
const decide = (command: EnvironmentCommand, past: readonly EnvironmentEvent[]): readonly EnvironmentEvent[] => {
  const outcome = environment.decide(command, fold(environment, past));
  if (isRefusal(outcome)) throw new Error(outcome.because);
  return outcome;
};
const stateOf = (past: readonly EnvironmentEvent[]): Environment => fold(environment, past);
const types = (events: readonly EnvironmentEvent[]) => events.map(({ type }) => type);

const by = { actor: "ada", at: at() };
const admit = (n: number): EnvironmentCommand => ({ type: "AdmitDeployment", request: request(n), ...by });
const requestFlip = (n: number, change: Partial<typeof by> = {}): EnvironmentCommand => ({
  type: "RequestFlip",
  deploymentId: deploymentId(n),
  sequence: n,
  release: release(n),
  ...by,
  ...change,
});
const wentLive = (sequence: number): EnvironmentCommand => ({ type: "RecordWentLive", sequence });
const flipFailed = (sequence: number, moved: boolean): EnvironmentCommand => ({
  type: "RecordFlipFailed",
  sequence,
  reason: "the alias could not be moved",
  moved,
});
const rollback = (to?: number): EnvironmentCommand => ({
  type: "RequestRollback",
  ...(to !== undefined && { to: deploymentId(to) }),
  ...by,
});
const pin: EnvironmentCommand = { type: "PinEnvironment", reason: "frozen for the launch" };
const unpin: EnvironmentCommand = { type: "UnpinEnvironment", ...by };
const lock = (until: string | null, actor = "ada"): EnvironmentCommand => ({
  type: "LockEnvironment",
  reason: "moving the database",
  until,
  actor,
  at: at(),
});
const unlock = (actor: string, force = false, when = at()): EnvironmentCommand => ({ type: "UnlockEnvironment", force, actor, at: when });

const requested = (n: number, previous: number | null, change: object = {}) => ({
  type: "FlipRequested",
  v: 1,
  body: {
    sequence: n,
    deploymentId: deploymentId(n),
    release: release(n),
    reason: "deploy",
    actor: "ada",
    previous: previous === null ? null : { sequence: previous, deploymentId: deploymentId(previous) },
    ...change,
  },
});
const superseded = (n: number, newer: number) => ({
  type: "FlipSuperseded",
  v: 1,
  body: { sequence: n, deploymentId: deploymentId(n), reason: "deploy", by: newer },
});

/** One deployment after another, each gone live. */
const everLive = (count: number): EnvironmentEvent[] =>
  made(...Array.from({ length: count }, (_, i) => [admit(i + 1), requestFlip(i + 1), wentLive(i + 1)]).flat());
/** Three admitted and none ready. */
const admitted = (count: number, ...then: EnvironmentCommand[]) => made(...Array.from({ length: count }, (_, i) => admit(i + 1)), ...then);
const on = (past: readonly EnvironmentEvent[], ...commands: EnvironmentCommand[]): EnvironmentEvent[] => {
  const events = [...past];
  for (const command of commands) events.push(...decide(command, events));
  return events;
};

describe("an environment gives every deployment its place in the order", () => {
  it("counts 1, 2, 3 at the time of the request", () => {
    const sequences = admitted(3).map(({ body }) => (body as { sequence: number }).sequence);
    expect(sequences).toEqual([1, 2, 3]);
  });
  it("names the deployment before it, so that a waiting one can be superseded", () => {
    given(...admitted(1))
      .when(admit(2))
      .yields({
        type: "DeploymentAdmitted",
        v: 1,
        body: { deploymentId: deploymentId(2), sequence: 2, request: request(2), previous: deploymentId(1) },
      });
  });
  it("admits a deployment once", () => {
    given(...admitted(2))
      .when(admit(2))
      .yields();
  });
  it("counts on after a rollback", () => {
    const events = on(everLive(2), rollback(), admit(3));
    expect(events.at(-1)).toMatchObject({ type: "DeploymentAdmitted", body: { sequence: 4 } });
  });
});

describe("the newest deployment wins", () => {
  const orders = [
    [1, 2, 3],
    [1, 3, 2],
    [2, 1, 3],
    [2, 3, 1],
    [3, 1, 2],
    [3, 2, 1],
  ] as const;

  it.each(orders)("when they get ready in the order %i, %i, %i and each goes live at once", (...order) => {
    let events = admitted(3);
    for (const n of order) events = on(events, requestFlip(n), wentLive(n));
    expect(stateOf(events).live).toEqual({ sequence: 3, deploymentId: deploymentId(3) });
  });
  it.each(orders)("when they get ready in the order %i, %i, %i and the reports come last", (...order) => {
    const events = on(admitted(3, ...order.map((n) => requestFlip(n))), ...order.map(wentLive));
    expect(stateOf(events).live).toEqual({ sequence: 3, deploymentId: deploymentId(3) });
    expect(stateOf(events).open.size).toBe(0);
  });
  it("and an older one that finishes late is superseded and flips nothing", () => {
    given(...admitted(2, requestFlip(2), wentLive(2)))
      .when(requestFlip(1))
      .yields(superseded(1, 2) as EnvironmentEvent);
  });
  it("even while the newer flip is still under way", () => {
    given(...admitted(2, requestFlip(2)))
      .when(requestFlip(1))
      .yields(superseded(1, 2) as EnvironmentEvent);
  });
  it("and an older flip that reports after a newer went live is superseded", () => {
    given(...admitted(2, requestFlip(1), requestFlip(2), wentLive(2)))
      .when(wentLive(1))
      .yields(superseded(1, 2) as EnvironmentEvent);
  });
});

describe("a flip", () => {
  it("is requested with what was live before", () => {
    given(...on(everLive(1), admit(2)))
      .when(requestFlip(2))
      .yields(requested(2, 1) as EnvironmentEvent);
  });
  it("is requested once, however often it is asked for", () => {
    given(...admitted(1, requestFlip(1)))
      .when(requestFlip(1))
      .yields();
    given(...everLive(1))
      .when(requestFlip(1))
      .yields();
  });
  it("is not superseded by its own past: a release that was live is not asked for again", () => {
    given(...everLive(2))
      .when(requestFlip(1))
      .yields();
  });
  it("is not superseded by itself after it failed", () => {
    given(...on(everLive(1), admit(2), requestFlip(2), flipFailed(2, false)))
      .when(requestFlip(2))
      .yields();
  });
  it("goes live once, however often it is reported", () => {
    given(...everLive(1))
      .when(wentLive(1))
      .yields();
  });
  it("that nobody asked for does not go live", () => {
    given(...admitted(1))
      .when(wentLive(1))
      .yields();
  });
  it("that ended can't end again", () => {
    for (const end of [flipFailed(2, true), { type: "RecordFlipSuperseded", sequence: 2, by: 9 } as const])
      given(...on(everLive(1), admit(2), requestFlip(2), flipFailed(2, false)))
        .when(end)
        .yields();
  });
  it("that found a newer one on the alias is superseded by it", () => {
    given(...on(admitted(1, requestFlip(1)), admit(2), requestFlip(2)))
      .when({ type: "RecordFlipSuperseded", sequence: 1, by: 2 })
      .yields(superseded(1, 2) as EnvironmentEvent);
  });
  it("is never superseded by a sequence that no flip was asked for with: somebody wrote it there", () => {
    given(...on(admitted(1, requestFlip(1)), admit(2)))
      .when({ type: "RecordFlipSuperseded", sequence: 1, by: 1_000 })
      .yields();
  });
});

describe("a rollback", () => {
  it("goes to the release before, with a new and higher sequence, and pins the environment", () => {
    given(...everLive(3))
      .when({ type: "RequestRollback", why: "broken checkout", ...by })
      .yields(
        {
          type: "FlipRequested",
          v: 1,
          body: {
            sequence: 4,
            deploymentId: deploymentId(2),
            release: release(2),
            reason: "rollback",
            actor: "ada",
            why: "broken checkout",
            previous: { sequence: 3, deploymentId: deploymentId(3) },
          },
        },
        { type: "EnvironmentPinned", v: 1, body: { reason: "broken checkout", deploymentId: deploymentId(2), rollback: 4 } },
      );
  });
  it("goes to any release that was live here", () => {
    const [flip] = decide(rollback(1), everLive(3));
    expect(flip).toMatchObject({ type: "FlipRequested", body: { sequence: 4, deploymentId: deploymentId(1), reason: "rollback" } });
  });
  it("goes one further back each time", () => {
    const events = on(everLive(3), rollback(), wentLive(4), rollback(), wentLive(5));
    expect(stateOf(events).live).toEqual({ sequence: 5, deploymentId: deploymentId(1) });
    given(...events)
      .when(rollback())
      .refuses("rollback.nothing");
  });
  it("can go forward again to what it came from", () => {
    const events = on(everLive(2), rollback(), wentLive(3), rollback(2), wentLive(4));
    expect(stateOf(events).live).toEqual({ sequence: 4, deploymentId: deploymentId(2) });
  });
  it("is refused where nothing older was live", () => {
    given().when(rollback()).refuses("rollback.nothing");
    given(...everLive(1))
      .when(rollback())
      .refuses("rollback.nothing");
  });
  it("is refused to what was never live here", () => {
    given(...on(everLive(1), admit(2)))
      .when(rollback(2))
      .refuses("release.never-live");
  });
  it("to what is live already changes nothing", () => {
    given(...everLive(2))
      .when(rollback(2))
      .yields();
  });
  it("asked twice is one rollback", () => {
    given(...on(everLive(3), rollback(1)))
      .when(rollback(1))
      .yields();
  });
  it("supersedes the deployment that waited", () => {
    const events = decide(rollback(), on(everLive(2), pin, admit(3), requestFlip(3)));
    expect(types(events)).toEqual(["FlipSuperseded", "FlipRequested"]);
    expect(events[0]).toEqual(superseded(3, 4));
  });
  it("wins over a flip under way", () => {
    const events = on(everLive(2), admit(3), requestFlip(3), rollback(1), wentLive(4), wentLive(3));
    expect(stateOf(events).live).toEqual({ sequence: 4, deploymentId: deploymentId(1) });
  });
  it("makes later deployments wait", () => {
    const events = on(everLive(2), rollback(), wentLive(3), admit(4), {
      ...requestFlip(4),
      sequence: 4,
    } as EnvironmentCommand);
    expect(events.at(-1)).toMatchObject({ type: "FlipHeld", body: { sequence: 4, by: "pin" } });
  });
});

describe("a pinned environment", () => {
  const pinned = (...then: EnvironmentCommand[]) => on(everLive(1), pin, admit(2), ...then);

  it("is pinned once", () => {
    given(...pinned())
      .when(pin)
      .yields();
  });
  it("holds a deployment that is ready", () => {
    given(...pinned())
      .when(requestFlip(2))
      .yields({
        type: "FlipHeld",
        v: 1,
        body: { sequence: 2, deploymentId: deploymentId(2), release: release(2), actor: "ada", by: "pin", replaces: null },
      });
  });
  it("holds it once", () => {
    given(...pinned(requestFlip(2)))
      .when(requestFlip(2))
      .yields();
  });
  it("holds the newest alone: the one that waited is superseded", () => {
    const events = decide(requestFlip(3), pinned(requestFlip(2), admit(3)));
    expect(events[0]).toEqual(superseded(2, 3));
    expect(events[1]).toMatchObject({ type: "FlipHeld", body: { sequence: 3, replaces: { sequence: 2, deploymentId: deploymentId(2) } } });
  });
  it("supersedes an older one that gets ready while a newer waits", () => {
    given(...pinned(admit(3), requestFlip(3)))
      .when(requestFlip(2))
      .yields(superseded(2, 3) as EnvironmentEvent);
  });
  it("lets the waiting one go in the same commit that unpins it", () => {
    given(...pinned(requestFlip(2)))
      .when(unpin)
      .yields({ type: "EnvironmentUnpinned", v: 1, body: {} }, requested(2, 1) as EnvironmentEvent);
  });
  it("lets it go once", () => {
    given(...pinned(requestFlip(2), unpin))
      .when(unpin)
      .yields();
  });
  it("keeps it waiting while a lock is in force", () => {
    const events = pinned(requestFlip(2), lock(null, "grace"));
    expect(types(decide(unpin, events))).toEqual(["EnvironmentUnpinned"]);
    expect(types(decide(unlock("grace"), on(events, unpin)))).toEqual(["EnvironmentUnlocked", "FlipRequested"]);
  });
  it("forgets a waiting deployment that was withdrawn", () => {
    const withdraw: EnvironmentCommand = { type: "WithdrawFlip", deploymentId: deploymentId(2), reason: "cancelled" };
    const events = pinned(requestFlip(2), withdraw);
    expect(types(decide(unpin, events))).toEqual(["EnvironmentUnpinned"]);
    given(...events)
      .when(withdraw)
      .yields();
  });
  it("gives the waiting one a higher sequence when a failed rollback was put back in the meantime", () => {
    // rollback 3 fails half-way while 4 waits: the restore takes 5, and 4 could no longer move an alias
    const events = on(everLive(2), pin, rollback(1), admit(4), requestFlip(4), flipFailed(3, true), wentLive(5));
    const [, flip] = decide(unpin, events);
    expect(flip).toMatchObject({ type: "FlipRequested", body: { sequence: 6, deploymentId: deploymentId(4), reason: "deploy" } });
  });
});

describe("a locked environment", () => {
  it("refuses everybody but the holder", () => {
    const past = on(everLive(2), lock(null, "grace"));
    for (const command of [admit(3), rollback(), lock(null), unlock("ada")])
      given(...past)
        .when(command)
        .refuses("environment.locked");
  });
  it("lets the holder deploy and roll back", () => {
    expect(types(decide(admit(3), on(everLive(2), lock(null))))).toEqual(["DeploymentAdmitted"]);
    expect(types(decide(rollback(), on(everLive(2), lock(null))))).toEqual(["FlipRequested", "EnvironmentPinned"]);
    expect(types(decide(requestFlip(3), on(everLive(2), lock(null), admit(3))))).toEqual(["FlipRequested"]);
  });
  it("holds what was under way for somebody else, and says why", () => {
    const [held] = decide(requestFlip(2), on(everLive(1), admit(2), lock(null, "grace")));
    expect(held).toMatchObject({ type: "FlipHeld", body: { by: "lock", because: "grace has locked it" } });
  });
  it("lets it go in the same commit that unlocks it", () => {
    given(...on(everLive(1), admit(2), lock(null, "grace"), requestFlip(2)))
      .when(unlock("grace"))
      .yields({ type: "EnvironmentUnlocked", v: 1, body: { holder: "grace" } }, requested(2, 1) as EnvironmentEvent);
  });
  it("is opened by force by anybody", () => {
    expect(types(decide(unlock("ada", true), on([], lock(null, "grace"))))).toEqual(["EnvironmentUnlocked"]);
  });
  it("need not be opened twice", () => {
    given().when(unlock("ada")).yields();
  });
  it("is open to all once its time is over", () => {
    const past = on(everLive(1), lock(at(30), "grace"));
    const later = { ...admit(2), at: at(31) } as EnvironmentCommand;
    expect(types(decide(later, past))).toEqual(["DeploymentAdmitted"]);
    expect(lockAt(stateOf(past), at(29))).not.toBeNull();
    expect(lockAt(stateOf(past), at(30))).toBeNull();
  });
  it("lets the waiting one go when the lock's time is over", () => {
    const past = on(everLive(1), admit(2), lock(at(30), "grace"), requestFlip(2));
    given(...past)
      .when({ type: "ExpireLock", at: at(29) })
      .yields();
    given(...past)
      .when({ type: "ExpireLock", at: at(30) })
      .yields({ type: "EnvironmentUnlocked", v: 1, body: { holder: "grace", reason: "it expired" } }, requested(2, 1) as EnvironmentEvent);
  });
  it("keeps it waiting when it is pinned as well", () => {
    const past = on(everLive(1), admit(2), lock(null, "grace"), requestFlip(2), pin);
    expect(types(decide(unlock("grace"), past))).toEqual(["EnvironmentUnlocked"]);
    expect(types(decide(unpin, on(past, unlock("grace"))))).toEqual(["EnvironmentUnpinned", "FlipRequested"]);
  });
  it("can't be locked until a time that is past", () => {
    given()
      .when(lock(at(-1)))
      .refuses("lock.expired");
  });
  it("a lock without an end does not expire", () => {
    given(...on([], lock(null)))
      .when({ type: "ExpireLock", at: "2999-01-01T00:00:00.000Z" })
      .yields();
  });
});

describe("a flip that failed", () => {
  const flipping = on(everLive(2), admit(3), requestFlip(3));

  it("before anything moved leaves what is live", () => {
    given(...flipping)
      .when(flipFailed(3, false))
      .yields({
        type: "FlipFailed",
        v: 1,
        body: { sequence: 3, deploymentId: deploymentId(3), flip: "deploy", reason: "the alias could not be moved" },
      });
  });
  it("half-way is put back with a higher sequence", () => {
    const events = decide(flipFailed(3, true), flipping);
    expect(types(events)).toEqual(["FlipFailed", "FlipRequested"]);
    expect(events[1]).toMatchObject({ body: { sequence: 4, deploymentId: deploymentId(2), release: release(2), reason: "restore" } });
  });
  it("half-way is not put back when something newer is under way", () => {
    expect(types(decide(flipFailed(3, true), on(flipping, admit(4), requestFlip(4))))).toEqual(["FlipFailed"]);
  });
  it("half-way is not put back when something newer went live", () => {
    expect(types(decide(flipFailed(3, true), on(flipping, admit(4), requestFlip(4), wentLive(4))))).toEqual(["FlipFailed"]);
  });
  it("half-way is put back when the newer one failed before it", () => {
    const past = on(flipping, admit(4), requestFlip(4), flipFailed(4, false));
    expect(types(decide(flipFailed(3, true), past))).toEqual(["FlipFailed", "FlipRequested"]);
  });
  it("is not put back where nothing was live", () => {
    expect(types(decide(flipFailed(1, true), admitted(1, requestFlip(1))))).toEqual(["FlipFailed"]);
  });
  it("half-way and put back does not make a newer deployment history that was still building", () => {
    const events = on(admitted(5, requestFlip(2), wentLive(2), requestFlip(3)), flipFailed(3, true), wentLive(6));
    const [flip] = decide(requestFlip(4), events);
    expect(flip).toMatchObject({ type: "FlipRequested", body: { sequence: 7, deploymentId: deploymentId(4) } });
    const newest = on(events, requestFlip(4), wentLive(7), requestFlip(5), wentLive(8));
    expect(stateOf(newest).live).toEqual({ sequence: 8, deploymentId: deploymentId(5) });
    given(...newest)
      .when(requestFlip(4))
      .yields();
    // and the other way round the older one is history
    const late = on(events, requestFlip(5), wentLive(7));
    given(...late)
      .when(requestFlip(4))
      .yields(superseded(4, 5) as EnvironmentEvent);
  });
  it("is not put back for ever: a restore that fails just fails", () => {
    expect(types(decide(flipFailed(4, true), on(flipping, flipFailed(3, true))))).toEqual(["FlipFailed"]);
  });
});

describe("an alias that a flip moved after it was given up", () => {
  const restore = (sequence: number): EnvironmentCommand => ({ type: "RestoreLive", sequence });
  const givenUp = on(everLive(2), admit(3), requestFlip(3), flipFailed(3, false));

  it("is put back to what is live, with a higher sequence", () => {
    expect(decide(restore(3), givenUp)).toMatchObject([
      { type: "FlipRequested", body: { sequence: 4, deploymentId: deploymentId(2), release: release(2), reason: "restore" } },
    ]);
  });
  it("is left to the flip that is under way", () => {
    given(...on(givenUp, admit(4), requestFlip(4)))
      .when(restore(3))
      .yields();
  });
  it("is nothing once something newer is live", () => {
    given(...on(givenUp, admit(4), requestFlip(4), wentLive(4)))
      .when(restore(3))
      .yields();
  });
  it("is left where it is as long as nothing was ever live", () => {
    given(...on(admitted(1, requestFlip(1)), flipFailed(1, false)))
      .when(restore(1))
      .yields();
  });
});
