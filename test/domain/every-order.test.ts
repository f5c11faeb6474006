import { describe, expect, it } from "vitest";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import { type Deployment, deployment } from "../../domain/deployment/decider.ts";
import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Environment } from "../../domain/environment/state.ts";
import { type Decider, fold, isRefusal } from "../../domain/kernel/decider.ts";
import { artifact, at, check, deploymentId, functions, release, request } from "../support/samples.ts";

/** Every sequence of these commands up to a length, each once, with what it led to. Whatever arrives in whatever order. */
const everyOrder = <C, S, E>(
  decider: Decider<C, S, E>,
  past: readonly E[],
  commands: readonly C[],
  length: number,
  look: (step: { path: readonly C[]; events: readonly E[]; state: S; last: readonly E[]; again: () => readonly E[] }) => void,
): number => {
  let seen = 0;
  const go = (path: readonly C[], events: readonly E[]): void => {
    if (path.length === length) return;
    for (const command of commands) {
      // what evolve is given it may change: every branch folds afresh
      const state = fold(decider, events);
      const outcome = decider.decide(command, state);
      const last = isRefusal(outcome) ? [] : outcome;
      const after = last.reduce(decider.evolve, state);
      const all = [...events, ...last];
      const way = [...path, command];
      seen++;
      look({
        path: way,
        events: all,
        state: after,
        last,
        again: () => {
          const second = decider.decide(command, fold(decider, all));
          return isRefusal(second) ? [] : second;
        },
      });
      // what changed nothing leads nowhere new
      if (last.length > 0) go(way, all);
    }
  };
  go([], past);
  return seen;
};

/** Fails with the way that led there: it is the bug report. `expect` in a million places would take minutes. */
const must = (claim: boolean, what: string, path: readonly unknown[]): void => {
  if (!claim) expect.fail(`${what}, after ${path.map((command) => JSON.stringify(command)).join("\n  ")}`);
};
const rises = (numbers: readonly number[]): boolean => numbers.every((n, i) => i === 0 || n > (numbers[i - 1] as number));
const same = (a: unknown, b: unknown): boolean => text(a) === text(b);
const text = (value: unknown): string => JSON.stringify(value, (_, part) => (part instanceof Map ? [...part] : part));

describe("an environment, whatever it is told in whatever order", { timeout: 120_000 }, () => {
  const by = { actor: "ada", at: at() };
  const flip = (n: number): EnvironmentCommand => ({
    type: "RequestFlip",
    deploymentId: deploymentId(n),
    sequence: n,
    release: release(n),
    ...by,
  });
  const admit = (n: number): EnvironmentCommand => ({ type: "AdmitDeployment", request: request(n), ...by });
  const live = (sequence: number): EnvironmentCommand => ({ type: "RecordWentLive", sequence });
  const failed = (sequence: number): EnvironmentCommand => ({ type: "RecordFlipFailed", sequence, reason: "no", moved: true });
  const past = (...commands: EnvironmentCommand[]) => {
    const events: EnvironmentEvent[] = [];
    for (const command of commands) {
      const outcome = environment.decide(command, fold(environment, events));
      if (!isRefusal(outcome)) events.push(...outcome);
    }
    return events;
  };
  const commands: EnvironmentCommand[] = [
    flip(1),
    flip(2),
    flip(3),
    live(1),
    live(2),
    live(3),
    live(4),
    live(5),
    failed(2),
    failed(4),
    { type: "RecordFlipSuperseded", sequence: 2, by: 3 },
    { type: "RequestRollback", ...by },
    { type: "RequestRollback", to: deploymentId(1), ...by },
    { type: "PinEnvironment", reason: "wait" },
    { type: "UnpinEnvironment", ...by },
    { type: "LockEnvironment", reason: "wait", until: null, actor: "grace", at: at() },
    { type: "UnlockEnvironment", force: true, ...by },
    { type: "WithdrawFlip", deploymentId: deploymentId(3), reason: "cancelled" },
    admit(4),
  ];
  /** A second one is a second wish: it goes one further back, or renews the lock. */
  const repeatable = new Set(["RequestRollback", "LockEnvironment"]);

  it.each([
    ["three deployments were admitted", past(admit(1), admit(2), admit(3))],
    ["one is live and a second is going", past(admit(1), admit(2), admit(3), flip(1), live(1), flip(2))],
  ])("keeps its promises after %s", (_, before) => {
    const seen = everyOrder<EnvironmentCommand, Environment, EnvironmentEvent>(
      environment,
      before,
      commands,
      5,
      ({ path, events, state, last, again }) => {
        const given = events.flatMap((e) => (e.type === "DeploymentAdmitted" || e.type === "FlipRequested" ? [e] : []));
        const highest = Math.max(...given.map((e) => e.body.sequence));
        must(state.sequence === highest, "the sequence fell", path);
        must(
          rises(events.flatMap((e) => (e.type === "FlipRequested" ? [e.body.sequence] : []))),
          "a flip was requested with a sequence that moves no alias",
          path,
        );
        must(
          rises(events.flatMap((e) => (e.type === "ReleaseWentLive" ? [e.body.sequence] : []))),
          "an older release went live after a newer",
          path,
        );

        const requested = new Set<number>();
        const ended = new Set<number>();
        let pinned = false;
        let locked = false;
        for (const e of events) {
          if (e.type === "FlipRequested") {
            must(
              e.body.reason !== "deploy" || !(pinned || locked),
              "a deployment goes live though the environment is pinned or locked",
              path,
            );
            requested.add(e.body.sequence);
          }
          if (e.type === "EnvironmentPinned") pinned = true;
          if (e.type === "EnvironmentUnpinned") pinned = false;
          if (e.type === "EnvironmentLocked") locked = true;
          if (e.type === "EnvironmentUnlocked") locked = false;
          if ((e.type === "FlipSuperseded" || e.type === "FlipFailed" || e.type === "ReleaseWentLive") && requested.has(e.body.sequence)) {
            must(!ended.has(e.body.sequence), "a flip ended twice", path);
            ended.add(e.body.sequence);
          }
          if (e.type === "ReleaseWentLive") must(requested.has(e.body.sequence), "something went live that nobody requested", path);
        }
        must(same([...state.open.keys()].sort(), [...requested].filter((n) => !ended.has(n)).sort()), "it lost sight of a flip", path);
        const target = state.live && state.everLive.get(state.live.deploymentId);
        must(state.live === null || target !== undefined, "what is live could not be rolled back to", path);
        must(same(state, fold(environment, events)), "the state is not the fold of its events", path);
        if (last.length > 0 && !repeatable.has(path.at(-1)?.type ?? "")) {
          const second = again();
          must(second.length === 0, `asked again it answers ${second.map(({ type }) => type).join(", ")}`, path);
        }
      },
    );
    expect(seen).toBeGreaterThan(20_000);
  });
});

describe("a deployment, whatever it is told in whatever order", () => {
  const commands: DeploymentCommand[] = [
    { type: "RecordBuildStarted", buildId: "b1" },
    { type: "RecordBuildSucceeded", buildId: "b1", artifact: artifact(1) },
    { type: "RecordBuildFailed", buildId: "b1", status: "FAILED", reason: "exit 1" },
    { type: "RecordBuildStopped", buildId: "b1", reason: "stopped" },
    { type: "RecordBuildStopped", buildId: null, reason: "there is none" },
    { type: "RecordBuildFailed", buildId: null, status: "FAULT", reason: "it was refused" },
    { type: "StartRelease", releaseId: deploymentId(1) },
    { type: "RecordVersions", functions: functions(1) },
    { type: "RecordChecksPassed", release: release(1), checks: [check(1)] },
    { type: "RecordChecksFailed", checks: [check(1, 500)], reason: "500" },
    { type: "HoldDeployment", by: "pin" },
    { type: "StartFlip", sequence: 1 },
    { type: "SucceedDeployment", sequence: 1 },
    { type: "FailDeployment", step: "build", reason: "late" },
    { type: "FailDeployment", step: "flip", reason: "late" },
    { type: "SupersedeDeployment", by: { sequence: 2 }, onlyQueued: true },
    { type: "SupersedeDeployment", by: { sequence: 2 }, onlyQueued: false },
    { type: "RequestCancel" },
  ];
  const ends = new Set(["DeploymentSucceeded", "DeploymentFailed", "DeploymentCancelled", "DeploymentSuperseded"]);
  const queued = [{ type: "DeploymentQueued", v: 1, body: { sequence: 1, request: request(1) } }] as const satisfies DeploymentEvent[];

  it("keeps its promises", () => {
    const seen = everyOrder<DeploymentCommand, Deployment, DeploymentEvent>(
      deployment,
      queued,
      commands,
      7,
      ({ path, events, state, last, again }) => {
        const ended = events.flatMap(({ type }, i) => (ends.has(type) ? [i] : []));
        must(ended.length <= 1, "it ended twice", path);
        const said = path.at(-1);
        const knowsNoBuild = said !== undefined && "buildId" in said && said.buildId === null;
        must(!knowsNoBuild || state.buildId === null || last.length === 0, "it ended for want of a build, and has one", path);
        must(ended[0] === undefined || ended[0] === events.length - 1, "something happened after its end", path);
        const at = (type: DeploymentEvent["type"]) => events.findIndex((e) => e.type === type);
        if (at("FlipStarted") >= 0) must(at("ChecksPassed") >= 0 && at("CancelRequested") < 0, "it went live unchecked or cancelled", path);
        if (at("CancelRequested") >= 0)
          must(
            events
              .slice(at("CancelRequested"))
              .every(({ type }) => type === "CancelRequested" || type === "BuildStarted" || ends.has(type)),
            "a cancelled one went on",
            path,
          );
        must(same(state, fold(deployment, events)), "the state is not the fold of its events", path);
        if (last.length > 0) must(again().length === 0, "asked again it does it again", path);
      },
    );
    expect(seen).toBeGreaterThan(1_000);
  });
});
