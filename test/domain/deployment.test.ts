import { describe, expect, it } from "vitest";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import { type Deployment, deployment } from "../../domain/deployment/decider.ts";
import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import { fold, isRefusal } from "../../domain/kernel/decider.ts";
import { asked, specification } from "../support/given.ts";
import { artifact, assets, check, deploymentId, functions, release, request } from "../support/samples.ts";

const given = specification(deployment);
const made = asked(deployment);
const statusAfter = (...commands: DeploymentCommand[]): Deployment["status"] => fold(deployment, made(...commands)).status;

const queue: DeploymentCommand = { type: "QueueDeployment", sequence: 1, request: request(1) };
const began: DeploymentCommand = { type: "RecordBuildStarted", buildId: "shiplog-web:1" };
const built: DeploymentCommand = { type: "RecordBuildSucceeded", buildId: "shiplog-web:1", artifact: artifact(1) };
const broke: DeploymentCommand = {
  type: "RecordBuildFailed",
  buildId: "shiplog-web:1",
  status: "FAILED",
  phase: "BUILD",
  reason: "exit 1",
};
const stopped: DeploymentCommand = { type: "RecordBuildStopped", buildId: "shiplog-web:1", reason: "cancelled by ada" };
const noBuild: DeploymentCommand = { type: "RecordBuildStopped", buildId: null, reason: "cancelled before it was built" };
const start: DeploymentCommand = { type: "StartRelease", releaseId: deploymentId(1) };
const uploaded: DeploymentCommand = { type: "RecordAssets", ...assets };
const published: DeploymentCommand = { type: "RecordVersions", functions: functions(1) };
const passed: DeploymentCommand = { type: "RecordChecksPassed", release: release(1), checks: [check(1)] };
const failedChecks: DeploymentCommand = { type: "RecordChecksFailed", checks: [check(1, 500)], reason: "the server answered 500" };
const hold: DeploymentCommand = { type: "HoldDeployment", by: "pin" };
const flip: DeploymentCommand = { type: "StartFlip", sequence: 1 };
const succeed: DeploymentCommand = { type: "SucceedDeployment", sequence: 1 };
const cancel: DeploymentCommand = { type: "RequestCancel", reason: "wrong branch" };
const fail = (step: "queue" | "build" | "publish" | "flip" | "cancel"): DeploymentCommand => ({
  type: "FailDeployment",
  step,
  reason: "its time was over",
});
const supersede = (onlyQueued: boolean): DeploymentCommand => ({
  type: "SupersedeDeployment",
  by: { sequence: 2, deploymentId: deploymentId(2) },
  onlyQueued,
});

const ready = [queue, began, built, start, uploaded, published, passed];
/** A way into each status. */
const ways: Record<Exclude<Deployment["status"], "absent">, DeploymentCommand[]> = {
  queued: [queue],
  building: [queue, began],
  built: [queue, began, built],
  deploying: [queue, began, built, start],
  held: [...ready, hold],
  cancelling: [queue, began, cancel],
  success: [...ready, flip, succeed],
  failed: [queue, began, broke],
  cancelled: [queue, began, cancel, stopped],
  superseded: [queue, supersede(true)],
};
const ends = ["success", "failed", "cancelled", "superseded"] as const;

const cancelRequested = { type: "CancelRequested", v: 1, body: { reason: "wrong branch" } } satisfies DeploymentEvent;
const cancelledFor = (reason: string) => ({ type: "DeploymentCancelled", v: 1, body: { reason } }) satisfies DeploymentEvent;
const buildStarted = { type: "BuildStarted", v: 1, body: { buildId: "shiplog-web:1" } } satisfies DeploymentEvent;
const buildSucceeded = {
  type: "BuildSucceeded",
  v: 1,
  body: { buildId: "shiplog-web:1", releaseId: deploymentId(1), artifact: artifact(1) },
} satisfies DeploymentEvent;

describe("a deployment", () => {
  it("is queued once, however often it is asked for", () => {
    given()
      .when(queue)
      .yields({ type: "DeploymentQueued", v: 1, body: { sequence: 1, request: request(1) } });
    given(...made(queue))
      .when({ ...queue, sequence: 7 } as DeploymentCommand)
      .yields();
  });
  it("that was never requested has nothing to report", () => {
    for (const command of [began, built, start, flip, succeed, cancel, fail("build")]) given().when(command).refuses("deployment.unknown");
  });
  it.each(Object.entries(ways))("can be %s", (status, way) => {
    expect(statusAfter(...way)).toBe(status);
  });
  it("goes the whole way, one event at a time", () => {
    expect(made(...ready, flip, succeed).map(({ type }) => type)).toEqual([
      "DeploymentQueued",
      "BuildStarted",
      "BuildSucceeded",
      "ReleaseStarted",
      "AssetsPublished",
      "VersionsPublished",
      "ChecksPassed",
      "FlipStarted",
      "DeploymentSucceeded",
    ]);
  });
  it("hears every report of the way twice and writes it once", () => {
    const twice = [...ready, flip, succeed].flatMap((command) => [command, command]);
    expect(made(...twice)).toEqual(made(...ready, flip, succeed));
  });
  it("goes from held to live", () => {
    expect(statusAfter(...ways.held, flip, succeed)).toBe("success");
  });
});

describe("the build of a deployment", () => {
  it("may be reported finished before it was reported begun", () => {
    given(...made(queue))
      .when(built)
      .yields(buildStarted, buildSucceeded);
    given(...made(queue, built))
      .when(began)
      .yields();
  });
  it("hands on what it exported", () => {
    given(...made(queue, began))
      .when({ ...built, exported: { NODE: "24" } } as DeploymentCommand)
      .yields({ ...buildSucceeded, body: { ...buildSucceeded.body, exported: { NODE: "24" } } });
  });
  it("ends the deployment when it fails, with its reason", () => {
    given(...made(queue, began))
      .when(broke)
      .yields(
        { type: "BuildFailed", v: 1, body: { buildId: "shiplog-web:1", status: "FAILED", phase: "BUILD", reason: "exit 1" } },
        { type: "DeploymentFailed", v: 1, body: { step: "build", reason: "exit 1" } },
      );
  });
  it("that nobody cancelled and that was stopped is a failure", () => {
    const events = made(queue, began, stopped);
    expect(events.at(-2)).toMatchObject({ type: "BuildFailed", body: { status: "STOPPED" } });
    expect(events.at(-1)).toMatchObject({ type: "DeploymentFailed", body: { step: "build" } });
  });
  it("is one: another build is refused, so that it is stopped", () => {
    for (const command of [
      { ...began, buildId: "shiplog-web:2" },
      { ...built, buildId: "shiplog-web:2" },
      { ...broke, buildId: "shiplog-web:2" },
    ])
      given(...made(queue, began))
        .when(command as DeploymentCommand)
        .refuses("build.other");
  });
  it("is refused once the deployment has ended without one", () => {
    given(...made(queue, supersede(true)))
      .when(began)
      .refuses("deployment.ended");
    given(...made(queue, fail("queue")))
      .when(began)
      .refuses("deployment.ended");
  });
  it("that finishes after the deployment ended changes nothing", () => {
    for (const status of ["failed", "superseded"] as const)
      given(...made(...ways[status]))
        .when(built)
        .yields();
  });
  it("can be taken over from another deployment: nothing is built again", () => {
    const reuse = { from: deploymentId(1), buildId: "shiplog-web:1", releaseId: deploymentId(1), artifact: artifact(1) };
    const again: DeploymentCommand = {
      type: "QueueDeployment",
      sequence: 2,
      request: request(2, { source: null, trigger: "retry", reuse }),
    };
    const events = made(again);
    expect(events.at(-1)).toEqual({ ...buildSucceeded, body: { ...buildSucceeded.body, reusedFrom: deploymentId(1) } });
    expect(fold(deployment, events)).toMatchObject({ status: "built", releaseId: deploymentId(1) });
    given(...events)
      .when({ ...began, buildId: "shiplog-web:9" } as DeploymentCommand)
      .refuses("build.other");
  });
});

describe("a request that nobody heard of in time", () => {
  const drop: DeploymentCommand = { type: "DropRequest", sequence: 1, request: request(1), reason: "nobody heard of it" };
  it("ends in the commit that it begins with: nothing begins in between", () => {
    given()
      .when(drop)
      .yields(
        { type: "DeploymentQueued", v: 1, body: { sequence: 1, request: request(1) } },
        { type: "DeploymentFailed", v: 1, body: { step: "queue", reason: "nobody heard of it" } },
      );
  });
  it("goes on where somebody heard of it after all", () => {
    for (const way of [ways.queued, ways.building, ready])
      given(...made(...way))
        .when(drop)
        .yields();
  });
});

describe("publishing a release", () => {
  it("waits for the build", () => {
    for (const way of [ways.queued, ways.building])
      given(...made(...way))
        .when(start)
        .refuses("build.unfinished");
  });
  it("that started over finds what it had done", () => {
    for (const command of [start, uploaded, published, passed])
      given(...made(...ready))
        .when(command)
        .yields();
  });
  it("ends the deployment when a check fails", () => {
    given(...made(queue, began, built, start, uploaded, published))
      .when(failedChecks)
      .yields(
        { type: "ChecksFailed", v: 1, body: { checks: [check(1, 500)], reason: "the server answered 500" } },
        { type: "DeploymentFailed", v: 1, body: { step: "check", reason: "the server answered 500" } },
      );
  });
  it("can't fail its checks any more once they passed: it may be going live", () => {
    given(...made(...ready, flip))
      .when(failedChecks)
      .yields();
  });
  it("is refused once the deployment has ended, so that it stops", () => {
    for (const status of ["failed", "cancelled", "superseded"] as const)
      for (const command of [start, uploaded, published, passed, failedChecks])
        given(...made(...ways[status]))
          .when(command)
          .refuses("deployment.ended");
  });
  it("has nothing to add to a success", () => {
    for (const command of [start, uploaded, published, passed, failedChecks])
      given(...made(...ways.success))
        .when(command)
        .yields();
  });
});

describe("going live", () => {
  it("needs checks that passed", () => {
    given(...made(queue, began, built, start, uploaded, published))
      .when(flip)
      .refuses("deployment.unchecked");
  });
  it("is refused after a cancel", () => {
    given(...made(...ready, cancel))
      .when(flip)
      .refuses("deployment.ended");
  });
  it("is not held once the flip is under way", () => {
    given(...made(...ready, flip))
      .when(hold)
      .yields();
  });
  it("is held once", () => {
    given(...made(...ready, hold))
      .when(hold)
      .yields();
  });
  it("can't be cancelled at that moment", () => {
    given(...made(...ready, flip))
      .when(cancel)
      .refuses("deployment.flipping");
  });
  it("fails by the word of the flip alone", () => {
    given(...made(...ready, flip))
      .when(fail("publish"))
      .yields();
    given(...made(...ready, flip))
      .when(fail("flip"))
      .yields({ type: "DeploymentFailed", v: 1, body: { step: "flip", reason: "its time was over" } });
  });
});

describe("a cancel", () => {
  it.each(["queued", "building"] as const)("of one that is %s waits until its build is seen stopped", (status) => {
    given(...made(...ways[status]))
      .when(cancel)
      .yields(cancelRequested);
  });
  it.each(["built", "deploying", "held"] as const)("of one that is %s is done at once", (status) => {
    given(...made(...ways[status]))
      .when(cancel)
      .yields(cancelRequested, cancelledFor("wrong branch"));
  });
  it("needs no reason", () => {
    given(...made(...ways.built))
      .when({ type: "RequestCancel" })
      .yields({ type: "CancelRequested", v: 1, body: {} }, cancelledFor("cancelled before it went live"));
  });
  it.each(ends)("of one that ended as %s is refused", (status) => {
    given(...made(...ways[status]))
      .when(cancel)
      .refuses("deployment.ended");
  });
  it("is asked for once", () => {
    given(...made(...ways.cancelling))
      .when(cancel)
      .refuses("deployment.cancelling");
  });
  it("ends when the build is seen stopped", () => {
    given(...made(...ways.cancelling))
      .when(stopped)
      .yields(cancelledFor("cancelled by ada"));
  });
  it("ends when there turns out to be no build", () => {
    given(...made(queue, cancel))
      .when(noBuild)
      .yields(cancelledFor("cancelled before it was built"));
  });
  it("goes on where another delivery started a build meanwhile: there is one to be stopped", () => {
    given(...made(queue, cancel, began))
      .when(noBuild)
      .yields();
    given(...made(queue, began))
      .when({ type: "RecordBuildFailed", buildId: null, status: "FAULT", reason: "CodeBuild refused to start it" })
      .yields();
  });
  it("learns of a build that began after it", () => {
    given(...made(queue, cancel))
      .when(began)
      .yields(buildStarted);
    expect(statusAfter(queue, cancel, began)).toBe("cancelling");
    expect(statusAfter(queue, cancel, began, stopped)).toBe("cancelled");
  });
  it("ends as cancelled when the build finished first: nothing of it goes live", () => {
    given(...made(...ways.cancelling))
      .when(built)
      .yields(cancelledFor("its build finished while it was being cancelled; nothing of it goes live"));
    for (const command of [start, flip])
      given(...made(...ways.cancelling, built))
        .when(command)
        .refuses("deployment.ended");
  });
  it("ends as cancelled when the build failed first", () => {
    expect(statusAfter(...ways.cancelling, broke)).toBe("cancelled");
  });
  it("that nobody answers fails at its deadline", () => {
    given(...made(...ways.cancelling))
      .when(fail("cancel"))
      .yields({ type: "DeploymentFailed", v: 1, body: { step: "cancel", reason: "its time was over" } });
  });
});

describe("a newer request", () => {
  it("supersedes one that is queued", () => {
    given(...made(queue))
      .when(supersede(true))
      .yields({ type: "DeploymentSuperseded", v: 1, body: { by: { sequence: 2, deploymentId: deploymentId(2) } } });
  });
  it("lets a running build go on", () => {
    for (const status of ["building", "built", "deploying", "held"] as const)
      given(...made(...ways[status]))
        .when(supersede(true))
        .yields();
  });
  it("that went live first supersedes it at the flip", () => {
    expect(statusAfter(...ready, supersede(false))).toBe("superseded");
    expect(statusAfter(...ready, flip, supersede(false))).toBe("superseded");
  });
  it("does not hide a cancel", () => {
    given(...made(...ways.cancelling))
      .when(supersede(false))
      .yields();
  });
});

describe("a deployment that has ended", () => {
  const everything = [
    queue,
    began,
    built,
    broke,
    stopped,
    noBuild,
    start,
    uploaded,
    published,
    passed,
    failedChecks,
    hold,
    flip,
    succeed,
    cancel,
    fail("flip"),
    fail("build"),
    supersede(true),
    supersede(false),
  ];
  it.each(ends)("as %s stays so, whatever arrives", (status) => {
    const state = fold(deployment, made(...ways[status]));
    for (const command of everything) {
      const outcome = deployment.decide(command, state);
      expect(isRefusal(outcome) ? [] : outcome, command.type).toEqual([]);
    }
  });
});

it("is not failed for a reason that its flip, begun meanwhile, has made untrue; its flip may still fail", () => {
  const late = { type: "FailDeployment", step: "flip", reason: "its flip was never requested", beforeFlip: true } as const;
  const { type: _, beforeFlip: __, ...body } = late;
  const failed = { type: "DeploymentFailed", v: 1, body } as DeploymentEvent;
  given(...made(...ready))
    .when(late)
    .yields(failed);
  given(...made(...ready, flip))
    .when(late)
    .yields();
  given(...made(...ready, flip))
    .when({ ...late, beforeFlip: undefined } as unknown as DeploymentCommand)
    .yields(failed);
});
