import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { isPlan, MAX_SKIPPED, type RollbackPlan, rollbackPlan } from "../../domain/environment/rollback-plan.ts";
import { fold, isRefusal } from "../../domain/kernel/decider.ts";
import { environmentCommand } from "../fuzz/given.ts";
import { asked } from "../support/given.ts";
import { at, deploymentId, release, request } from "../support/samples.ts";

const made = asked(environment);
const by = { actor: "ada", at: at() };
const A = 1;
const B = 2;
const C = 3;
const D = 4;

/** A story of one environment, told step by step: each step is decided on what came before. */
const story = () => {
  const events: EnvironmentEvent[] = [];
  const state = () => fold(environment, events);
  const give = (command: EnvironmentCommand): readonly EnvironmentEvent[] => {
    const outcome = environment.decide(command, state());
    if (isRefusal(outcome)) throw new Error(`${outcome.refused}: ${outcome.because}`);
    events.push(...outcome);
    return outcome;
  };
  const of = {
    events,
    state,
    give,
    /** admits a deployment and asks for its flip, which is open from then on */
    starts: (n: number, versions = n) => {
      give({ type: "AdmitDeployment", request: request(n), ...by });
      const { sequence } = state();
      give({ type: "RequestFlip", deploymentId: deploymentId(n), sequence, release: release(versions), ...by });
      return of;
    },
    /** what was asked for last goes live */
    arrives: () => {
      give({ type: "RecordWentLive", sequence: state().flipped });
      return of;
    },
    fails: (change: { moved?: boolean; unfit?: boolean } = {}) => {
      give({ type: "RecordFlipFailed", sequence: state().flipped, reason: "it answered 500", moved: false, ...change });
      return of;
    },
    deploys: (...numbers: number[]) => {
      for (const n of numbers) of.starts(n).arrives();
      return of;
    },
    asksBack: (to?: number, more: { why?: string; force?: boolean; from?: string } = {}) => {
      give({ type: "RequestRollback", ...(to !== undefined && { to: deploymentId(to) }), ...more, ...by });
      return of;
    },
    goesBack: (to?: number, more: { why?: string } = {}) => of.asksBack(to, more).arrives(),
    unpins: () => {
      give({ type: "UnpinEnvironment", ...by });
      return of;
    },
    plan: (to?: number): RollbackPlan => {
      const plan = rollbackPlan(state(), to === undefined ? undefined : deploymentId(to));
      if (!isPlan(plan)) throw new Error(`${plan.refused}: ${plan.because}`);
      return plan;
    },
    target: () => Number(of.plan().to.deploymentId.slice(-2)),
    refusal: () => {
      const plan = rollbackPlan(state());
      return isPlan(plan) ? "none" : plan;
    },
  };
  return of;
};

describe("back", () => {
  it("is what was live directly before", () => {
    expect(story().deploys(A, B, C).target()).toBe(B);
  });
  it("from a rollback is the one before that: the release that was taken down is passed over, and it is said why", () => {
    const told = story().deploys(A, B, C).goesBack(undefined, { why: "broken checkout" });
    expect(told.plan()).toEqual({
      from: { sequence: 4, deploymentId: deploymentId(B), goingLive: false },
      to: { sequence: 1, deploymentId: deploymentId(A) },
      already: null,
      skipped: [
        {
          deploymentId: deploymentId(C),
          sequence: 3,
          is: "taken-down",
          why: `ada rolled it back to ${deploymentId(B)} (#4): broken checkout`,
        },
      ],
      caution: null,
    });
  });
  it("from what was deployed after a rollback is what the rollback went to, never the broken release in between", () => {
    const told = story().deploys(A, B, C).goesBack().unpins().deploys(D);
    expect(told.target()).toBe(B);
    expect(told.plan().skipped).toEqual([]);
    expect(told.goesBack().target()).toBe(A);
    expect(told.plan().skipped.map(({ deploymentId: id }) => id)).toEqual([D, C].map(deploymentId));
  });
  it("after more flips than anybody remembers never goes forth", () => {
    const told = story()
      .deploys(...Array.from({ length: 26 }, (_, n) => n + 1))
      .goesBack(3);
    expect(told.target()).toBe(2);
    const { skipped } = told.plan();
    expect(skipped).toHaveLength(MAX_SKIPPED);
    expect(skipped[0]).toMatchObject({ deploymentId: deploymentId(26), is: "taken-down" });
    expect(skipped[1]).toMatchObject({ deploymentId: deploymentId(25), is: "passed-over" });
    expect(skipped[1]?.why).toBe(`ada's rollback to ${deploymentId(3)} (#27) went past it`);
  });
  it("from a release that was chosen again by its id is what was live before that", () => {
    const told = story().deploys(A, B, C).goesBack();
    expect(told.plan(C).caution).toMatchObject({ is: "taken-down", deploymentId: deploymentId(C) });
    told.goesBack(C);
    expect(told.target()).toBe(B);
    expect(told.plan().skipped).toEqual([]);
    // and taken down once more it is no target once more
    expect(told.goesBack().target()).toBe(A);
  });
  it("does not change when what is live is put back: that is nobody's choice", () => {
    const told = story().deploys(A, B).starts(C).fails({ moved: true });
    expect(told.state().open.size).toBe(1);
    expect(told.arrives().state().live).toEqual({ sequence: 4, deploymentId: deploymentId(B) });
    expect(told.target()).toBe(A);
  });
  it("does not go forth to what went live while something older was on its way to be put back", () => {
    const told = story().deploys(A).starts(B).starts(C).fails({ moved: true });
    told.give({ type: "RecordWentLive", sequence: 2 });
    expect(told.arrives().state().live).toEqual({ sequence: 4, deploymentId: deploymentId(A) });
    expect(told.refusal()).toMatchObject({ refused: "rollback.nothing" });
  });
  it("is nothing where nothing was live, or nothing before, or nothing else that runs", () => {
    expect(story().refusal()).toMatchObject({ refused: "rollback.nothing", because: "nothing was ever live here" });
    expect(story().starts(A).refusal()).toMatchObject({
      refused: "rollback.nothing",
      because: expect.stringContaining("first to go live"),
    });
    expect(story().deploys(A).refusal()).toMatchObject({ refused: "rollback.nothing" });
    const dead = story().deploys(A, B).asksBack().fails({ unfit: true });
    expect(dead.refusal()).toMatchObject({
      refused: "rollback.nothing",
      because: expect.stringContaining(`${deploymentId(A)}: it could not be brought live: it answered 500`),
    });
  });
  it("from a retry that published the same versions is what was live before both", () => {
    const told = story().deploys(A, B).starts(C, B).arrives();
    expect(told.target()).toBe(A);
    expect(told.plan().skipped).toMatchObject([{ deploymentId: deploymentId(B), is: "same-release" }]);
  });
});

describe("back, with a flip open", () => {
  it("is what is live now", () => {
    const told = story().deploys(A, B, C).starts(D);
    expect(told.plan()).toMatchObject({ from: { deploymentId: deploymentId(D), goingLive: true }, to: { deploymentId: deploymentId(C) } });
    expect(told.asksBack().events.at(-2)).toMatchObject({
      type: "FlipRequested",
      body: { sequence: 5, deploymentId: deploymentId(C), reason: "rollback" },
    });
    expect(told.arrives().target()).toBe(B);
  });
  it("takes down what went live in between all the same", () => {
    const told = story().deploys(A, B, C).starts(D);
    told.asksBack().give({ type: "RecordWentLive", sequence: 4 });
    expect(told.arrives().plan()).toMatchObject({ to: { deploymentId: deploymentId(B) }, skipped: [{ deploymentId: deploymentId(D) }] });
  });
  it("that is a rollback, is that rollback: asked twice it goes once", () => {
    const told = story().deploys(A, B, C).asksBack();
    expect(told.plan()).toMatchObject({ to: { deploymentId: deploymentId(B), sequence: 4 }, already: "under-way" });
    expect(told.give({ type: "RequestRollback", ...by })).toEqual([]);
  });
});

describe("a release that cannot run", () => {
  it("is passed over until it went live again", () => {
    const told = story().deploys(A, B, C).asksBack().fails({ unfit: true });
    expect(told.plan()).toMatchObject({ to: { deploymentId: deploymentId(A) }, skipped: [{ deploymentId: deploymentId(B), is: "unfit" }] });
    expect(told.plan(B).caution).toMatchObject({ is: "unfit" });
    told.goesBack(B).goesBack(C);
    expect(told.target()).toBe(B);
  });
  it("is not one that failed for another reason", () => {
    expect(story().deploys(A, B, C).asksBack().fails().target()).toBe(B);
  });
  it("has not been seen to run where it was forced past its probe", () => {
    const told = story().deploys(A, B, C).asksBack().fails({ unfit: true });
    told.asksBack(B, { force: true });
    const [live] = told.give({ type: "RecordWentLive", sequence: 5, unproven: "it answered 500" });
    expect(live).toMatchObject({ type: "ReleaseWentLive", body: { unproven: "it answered 500" } });
    told.unpins().deploys(D);
    expect(told.target()).toBe(A);
  });
});

describe("a rollback", () => {
  it("is refused where something else is live by now than its asker saw", () => {
    const told = story().deploys(A, B, C);
    const { from, to } = told.plan();
    told.deploys(D);
    const late: EnvironmentCommand = { type: "RequestRollback", to: to.deploymentId, from: from.deploymentId, ...by };
    expect(environment.decide(late, told.state())).toMatchObject({
      refused: "rollback.changed",
      because: `it was to leave ${deploymentId(C)}, but by now ${deploymentId(D)} is live; look again`,
    });
    told.starts(5);
    expect(environment.decide({ ...late, from: deploymentId(D) }, told.state())).toMatchObject({
      because: expect.stringContaining(`${deploymentId(5)} is going live`),
    });
    expect(told.asksBack(C, { from: deploymentId(5) }).state().open.size).toBe(2);
  });
  it("of two who saw the same is one", () => {
    const told = story().deploys(A, B, C);
    const both = { from: deploymentId(C) };
    expect(
      told
        .asksBack(B, both)
        .asksBack(B, both)
        .events.filter(({ type }) => type === "FlipRequested"),
    ).toHaveLength(4);
  });
  it("that is forced says so, and overtakes the same one that was not", () => {
    const told = story().deploys(A, B).asksBack();
    told.asksBack(A, { force: true });
    expect(told.events.at(-2)).toMatchObject({ type: "FlipRequested", body: { sequence: 4, deploymentId: deploymentId(A), forced: true } });
    expect(told.give({ type: "RequestRollback", to: deploymentId(A), force: true, ...by })).toEqual([]);
  });
});

describe("the pin of a rollback that fails", () => {
  const types = (events: readonly EnvironmentEvent[]) => events.map(({ type }) => type);
  const fail = (sequence: number): EnvironmentCommand => ({ type: "RecordFlipFailed", sequence, reason: "no", moved: false });

  it("goes with it", () => {
    const told = story().deploys(A, B).asksBack();
    expect(told.give(fail(3))).toMatchObject([
      { type: "FlipFailed" },
      { type: "EnvironmentUnpinned", body: { reason: `the rollback to ${deploymentId(A)} (#3) did not come about`, rollback: 3 } },
    ]);
    expect(told.state().pinned).toBe(false);
  });
  it("lets go what waited for it, which is newer than what would be put back", () => {
    const told = story().deploys(A, B).asksBack();
    told.starts(C);
    expect(told.state().waiting).toMatchObject({ deploymentId: deploymentId(C) });
    const outcome = told.give({ type: "RecordFlipFailed", sequence: 3, reason: "no", moved: true });
    expect(types(outcome)).toEqual(["FlipFailed", "EnvironmentUnpinned", "FlipRequested"]);
    expect(outcome.at(-1)).toMatchObject({ body: { sequence: 4, deploymentId: deploymentId(C), reason: "deploy" } });
  });
  it("leaves what waited alone while there is a lock", () => {
    const told = story().deploys(A, B).asksBack().starts(C);
    told.give({ type: "LockEnvironment", reason: "freeze", until: null, ...by });
    expect(types(told.give(fail(3)))).toEqual(["FlipFailed", "EnvironmentUnpinned"]);
    expect(types(told.give({ type: "UnlockEnvironment", force: false, ...by }))).toEqual(["EnvironmentUnlocked", "FlipRequested"]);
  });
  it("stays where it was there before", () => {
    const told = story().deploys(A, B);
    told.give({ type: "PinEnvironment", reason: "frozen" });
    expect(types(told.asksBack().give(fail(3)))).toEqual(["FlipFailed"]);
    const twice = story().deploys(A, B, C).goesBack().asksBack();
    expect(types(twice.give(fail(5)))).toEqual(["FlipFailed"]);
  });
  it("stays where a person pinned meanwhile", () => {
    const told = story().deploys(A, B).asksBack();
    expect(types(told.give({ type: "PinEnvironment", reason: "frozen" }))).toEqual(["EnvironmentPinned"]);
    expect(told.give({ type: "PinEnvironment", reason: "frozen" })).toEqual([]);
    expect(types(told.give(fail(3)))).toEqual(["FlipFailed"]);
  });
  it("belongs to the rollback that overtook it", () => {
    const told = story().deploys(A, B, C).asksBack().asksBack(A);
    expect(types(told.give({ type: "RecordFlipSuperseded", sequence: 4, by: 5 }))).toEqual(["FlipSuperseded"]);
    expect(types(told.give(fail(5)))).toEqual(["FlipFailed", "EnvironmentUnpinned"]);
  });
  it("stays where the rollback found a sequence on an alias that nobody gave: that supersedes nothing", () => {
    const told = story().deploys(A, B).asksBack();
    expect(told.give({ type: "RecordFlipSuperseded", sequence: 3, by: 99 })).toEqual([]);
  });
  it("of an older release, which does not say whose it is, stays", () => {
    const told = story().deploys(A, B).asksBack();
    const old = told.events.map((event) =>
      event.type === "EnvironmentPinned" ? { ...event, body: { reason: event.body.reason, deploymentId: event.body.deploymentId } } : event,
    );
    const outcome = environment.decide(fail(3), fold(environment, old));
    expect(isRefusal(outcome) ? outcome : types(outcome)).toEqual(["FlipFailed"]);
  });
});

describe("whatever happened to an environment", () => {
  /** The fold of what rollbacks and failures said, by itself: what may not be gone to. */
  const forbidden = (events: readonly EnvironmentEvent[]) => {
    const down = new Set<string>();
    const unfit = new Set<string>();
    let live: string | null = null;
    for (const { type, body } of events) {
      if (type === "FlipFailed" && body.unfit) unfit.add(body.deploymentId);
      if (type !== "ReleaseWentLive") continue;
      if (body.unproven === undefined) unfit.delete(body.deploymentId);
      // chosen again: by a person, and not on the way back
      if (body.reason === "deploy" || (body.reason === "rollback" && down.has(body.deploymentId))) down.delete(body.deploymentId);
      else if (body.reason === "rollback" && live !== null && live !== body.deploymentId) down.add(live);
      live = body.deploymentId;
    }
    return { down, unfit, live };
  };
  const told = (commands: readonly EnvironmentCommand[]): EnvironmentEvent[] => {
    const events: EnvironmentEvent[] = [];
    for (const command of commands) {
      const outcome = environment.decide(command, fold(environment, events));
      if (!isRefusal(outcome)) events.push(...outcome);
    }
    return events;
  };
  const histories = fc.array(environmentCommand, { maxLength: 40 }).map((commands) =>
    // most of them live: a history in which nothing goes live says nothing of the way back
    told([
      ...made(),
      ...[1, 2, 3, 4].flatMap((n): EnvironmentCommand[] => {
        const flip: EnvironmentCommand = { type: "RequestFlip", deploymentId: deploymentId(n), sequence: n, release: release(n), ...by };
        return [{ type: "AdmitDeployment", request: request(n), ...by }, flip, { type: "RecordWentLive", sequence: n }];
      }),
      ...commands,
    ] as EnvironmentCommand[]),
  );

  it("back is never the present release, one that was taken down, or one that does not run", () => {
    fc.assert(
      fc.property(histories, (events) => {
        const state = fold(environment, events);
        const plan = rollbackPlan(state);
        if (!isPlan(plan)) return;
        const { down, unfit, live } = forbidden(events);
        const { deploymentId: to } = plan.to;
        expect(state.everLive.has(to)).toBe(true);
        if (plan.already !== null) return;
        expect(to).not.toBe(plan.from.deploymentId);
        if (plan.from.goingLive) return void expect([...unfit].includes(to)).toBe(false);
        expect([live, ...down, ...unfit]).not.toContain(to);
        for (const skipped of plan.skipped) expect(skipped.deploymentId).not.toBe(to);
      }),
      { numRuns: 2_000 },
    );
  });

  it("a rollback without a target goes where the plan said, and so does one that names it", () => {
    fc.assert(
      fc.property(histories, (events) => {
        const plan = rollbackPlan(fold(environment, events));
        const outcomes = [{}, isPlan(plan) ? { to: plan.to.deploymentId, from: plan.from.deploymentId } : {}].map((more) =>
          environment.decide({ type: "RequestRollback", ...more, actor: "ada", at: at(60) }, fold(environment, events)),
        );
        for (const outcome of outcomes) {
          if (isRefusal(outcome)) {
            // a lock is said first, whether or not there is a way back
            expect(isPlan(plan) ? ["environment.locked"] : ["environment.locked", plan.refused]).toContain(outcome.refused);
            continue;
          }
          const flip = outcome.find((event) => event.type === "FlipRequested" && event.body.reason === "rollback");
          const to = isPlan(plan) ? plan.to.deploymentId : "nowhere";
          if (flip === undefined) expect(isPlan(plan) && plan.already).toBe("under-way");
          else expect(flip.body).toMatchObject({ deploymentId: to });
        }
        expect(outcomes[1]).toEqual(outcomes[0]);
      }),
      { numRuns: 2_000 },
    );
  });
});
