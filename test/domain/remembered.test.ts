import { describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import { isRemoved, MAX_PENDING, MAX_REMOVED, MAX_TARGETS } from "../../domain/environment/remembered.ts";
import { isPlan, rollbackPlan } from "../../domain/environment/rollback-plan.ts";
import { MAX_STANDING } from "../../domain/environment/standing.ts";
import { type Environment, evolve } from "../../domain/environment/state.ts";
import { isRefusal } from "../../domain/kernel/decider.ts";
import { at, deploymentId, release, request } from "../support/samples.ts";

const by = { actor: "ada", at: at() };

/** One environment whose state goes on with each command, however many there are. */
const longStory = () => {
  const state: Environment = environment.initial();
  const give = (command: EnvironmentCommand) => {
    const outcome = environment.decide(command, state);
    if (!isRefusal(outcome)) for (const event of outcome) environment.evolve(state, event);
    return outcome;
  };
  const admit = (n: number): void => void give({ type: "AdmitDeployment", request: request(n), ...by });
  const ask = (n: number, sequence: number) =>
    give({ type: "RequestFlip", deploymentId: deploymentId(n), sequence, release: release(n), ...by });
  const deploy = (n: number): void => {
    admit(n);
    ask(n, state.sequence);
    give({ type: "RecordWentLive", sequence: state.flipped });
  };
  const backTo = (n: number, past?: number) => {
    const older = past === undefined ? {} : { past: { deploymentId: deploymentId(past), sequence: past, release: release(past) } };
    return give({ type: "RequestRollback", to: deploymentId(n), ...older, ...by });
  };
  const size = (): number =>
    JSON.stringify(state, (_, value) => (value instanceof Map || value instanceof Set ? [...value] : value)).length;
  return { state, give, admit, ask, deploy, backTo, size };
};
const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

describe("what an environment remembers", () => {
  it("is no more after a thousand deployments than after a hundred", () => {
    const here = longStory();
    for (const n of upTo(100)) here.deploy(n);
    const before = here.size();
    for (const n of upTo(900)) here.deploy(100 + n);
    expect(here.state.targets.size).toBe(MAX_TARGETS);
    expect(here.size()).toBeLessThan(before * 1.1);
    expect(here.state.everLive.size).toBe(MAX_STANDING);
    expect(here.state.standing).toHaveLength(MAX_STANDING);
  });
  it("has what is live, however long it has been live", () => {
    const here = longStory();
    here.deploy(1);
    for (const n of upTo(60)) {
      // restores and rollbacks between two releases make nothing else old
      here.deploy(1 + n);
      here.backTo(1);
      here.give({ type: "RecordWentLive", sequence: here.state.flipped });
      here.give({ type: "UnpinEnvironment", ...by });
    }
    expect(here.state.everLive.get(deploymentId(1))).toMatchObject({ deploymentId: deploymentId(1) });
    expect(here.state.takenDown.size).toBe(MAX_STANDING);
  });
  it("has what is going live, however old it is", () => {
    const here = longStory();
    for (const n of upTo(MAX_STANDING)) here.deploy(n);
    here.backTo(1);
    here.admit(40);
    here.give({ type: "UnpinEnvironment", ...by });
    here.ask(40, here.state.sequence);
    here.give({ type: "RecordWentLive", sequence: here.state.flipped });
    expect([...here.state.everLive.keys()]).toContain(deploymentId(1));
  });
  it("has what stands, however often something newer was rolled back", () => {
    const here = longStory();
    for (const n of upTo(10)) here.deploy(n);
    for (const n of upTo(2 * MAX_STANDING)) {
      here.deploy(10 + n);
      here.backTo(10);
      here.give({ type: "RecordWentLive", sequence: here.state.flipped });
      here.give({ type: "UnpinEnvironment", ...by });
    }
    expect(here.state.standing).toEqual(upTo(10).map(deploymentId));
    expect(here.state.takenDown.size).toBe(MAX_STANDING);
    expect(here.state.takenDown.has(deploymentId(10 + 2 * MAX_STANDING))).toBe(true);
    const plan = rollbackPlan(here.state);
    expect(isPlan(plan) && plan.to.deploymentId).toBe(deploymentId(9));
  });
  it("has the newest reasons why releases could not be brought live, and no more of them than of releases", () => {
    const here = longStory();
    for (const n of upTo(80)) {
      here.admit(n);
      here.ask(n, here.state.sequence);
      here.give({ type: "RecordFlipFailed", sequence: here.state.flipped, reason: "it answered 500", moved: false, unfit: true });
    }
    expect([...here.state.unfit.keys()]).toEqual(upTo(80).slice(-MAX_STANDING).map(deploymentId));
  });
});

describe("a rollback to a release that is not remembered", () => {
  const older = () => {
    const here = longStory();
    for (const n of upTo(MAX_STANDING + 10)) here.deploy(n);
    return here;
  };

  it("is refused by what the state knows alone", () => {
    expect(older().backTo(1)).toMatchObject({ refused: "release.never-live" });
  });
  it("goes there with what the log has of it", () => {
    expect(older().backTo(1, 1)).toMatchObject([
      { type: "FlipRequested", body: { deploymentId: deploymentId(1), sequence: MAX_STANDING + 11, release: release(1) } },
      { type: "EnvironmentPinned" },
    ]);
  });
  it("is planned with what the log has of it", () => {
    const past = { deploymentId: deploymentId(1), sequence: 1, release: release(1) };
    const plan = rollbackPlan(older().state, deploymentId(1), past);
    expect(isPlan(plan) && plan.to).toEqual({ deploymentId: deploymentId(1), sequence: 1 });
  });
  it("is refused where the log's word is of another release", () => {
    expect(older().backTo(1, 2)).toMatchObject({ refused: "release.never-live" });
  });
  it("takes down all that is remembered: a rollback without a name goes to none of it", () => {
    const here = older();
    here.backTo(1, 1);
    here.give({ type: "RecordWentLive", sequence: here.state.flipped });
    expect(here.state.everLive.has(deploymentId(1))).toBe(true);
    expect(here.state.standing).toEqual([deploymentId(1)]);
    expect(here.state.takenDown.get(deploymentId(MAX_STANDING + 10))).toMatchObject({ to: deploymentId(1), wasLive: true });
    expect(rollbackPlan(here.state)).toMatchObject({ refused: "rollback.nothing" });
  });
});

describe("a deployment that asks to go live behind hundreds of newer ones", () => {
  it("is told that it is history, where it is not remembered any more", () => {
    const here = longStory();
    for (const n of upTo(MAX_PENDING + 2)) here.admit(n);
    expect(here.state.pending.size).toBe(MAX_PENDING);
    expect(here.ask(2, 2)).toMatchObject([{ type: "FlipSuperseded", body: { deploymentId: deploymentId(2), by: MAX_PENDING + 2 } }]);
    expect(here.ask(3, 3)).toMatchObject([{ type: "FlipRequested" }]);
  });
  it("says nothing where it asked before", () => {
    const here = longStory();
    here.deploy(1);
    expect(here.ask(1, 1)).toEqual([]);
  });
});

describe("the number of an address that was taken away", () => {
  it("is not used again, however many there were since", () => {
    const state = environment.initial();
    for (const address of upTo(MAX_REMOVED + 50))
      evolve(state, {
        type: "AddressRemoved",
        v: 1,
        body: { release: deploymentId(address), deploymentId: deploymentId(address), address: 2 * address, functions: [] },
      });
    expect(state.removedAddresses.size).toBe(MAX_REMOVED);
    expect(upTo(MAX_REMOVED + 50).every((address) => isRemoved(state, 2 * address))).toBe(true);
    expect(isRemoved(state, 2 * (MAX_REMOVED + 50) - 1)).toBe(false);
    expect(isRemoved(state, 2 * (MAX_REMOVED + 50) + 1)).toBe(false);
  });
});
