import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BuildReport } from "../../engine/aws/builds.ts";
import { Unprocessable } from "../../engine/kit/consumer.ts";
import { formerProjectOf } from "../../services/watch-build/handler.ts";
import { type BuildStateChange, watchBuild } from "../../services/watch-build/watch-build.ts";
import { deploymentId } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const reportOf = (n: number, change: Partial<BuildReport> = {}): BuildReport => ({
  id: steps(n).buildId,
  arn: `arn:aws:codebuild:eu-west-1:000000000000:build/${steps(n).buildId}`,
  status: "IN_PROGRESS",
  deploymentId: deploymentId(n),
  artifact: null,
  exported: {},
  logs: null,
  failure: null,
  ...change,
});

/** Tells of a build; CodeBuild itself says what it has come to. */
const watch = (build: BuildReport, log: readonly string[] = []): Promise<void> => {
  const told: BuildStateChange = {
    source: "aws.codebuild",
    "detail-type": "CodeBuild Build State Change",
    detail: { "build-id": build.arn, "build-status": "IN_PROGRESS", "project-name": "shiplog-web" },
  };
  const builds = { get: async (ids: readonly string[]) => (ids[0] === build.id ? [build] : []) };
  return watchBuild({
    ...room,
    builds,
    logEnd: async () => log,
    projectsOf: (site, environment) => [`shiplog-${site}-${environment}`, `shiplog-${site}`],
  })(told);
};

describe("watch-build", () => {
  it("writes down that a build began and that it succeeded, each once however often it is told", async () => {
    const { queue, stream } = steps(1);
    await room.deployment(1, queue(1));
    for (const _ of ["told", "told again"]) await watch(reportOf(1));
    for (const _ of ["told", "told again"])
      await watch(
        reportOf(1, {
          status: "SUCCEEDED",
          artifact: { bucket: "artifacts", key: "builds/1.zip" },
          exported: { NEXT_VERSION: "16.4.5", API_KEY: "hidden" },
        }),
      );
    expect(await room.typesOf(stream)).toEqual(["DeploymentQueued", "BuildStarted", "BuildSucceeded"]);
    expect((await room.newest(stream, "BuildSucceeded")).body).toMatchObject({ exported: { NEXT_VERSION: "16.4.5" } });
    expect(JSON.stringify(await room.commits(stream))).not.toContain("hidden");
  });

  it("takes a build that was stopped for the end of a cancel", async () => {
    const { queue, began, cancel, stream } = steps(2);
    await room.deployment(2, queue(1), began, cancel);
    await watch(reportOf(2, { status: "STOPPED" }));
    expect(await room.typesOf(stream)).toEqual(["DeploymentQueued", "BuildStarted", "CancelRequested", "DeploymentCancelled"]);
    expect((await room.newest(stream, "DeploymentCancelled")).body).toEqual({ reason: "its build was stopped" });
  });

  it("says of a build that somebody stopped by hand that it was stopped, and not that it failed by itself", async () => {
    await room.deployment(7, steps(7).queue(1), steps(7).began);
    await watch(reportOf(7, { status: "STOPPED" }));
    expect((await room.newest(steps(7).stream, "BuildFailed")).body).toMatchObject({ status: "STOPPED", reason: "its build was stopped" });
  });

  it("says in which phase a build failed, and that one took too long", async () => {
    await room.deployment(3, steps(3).queue(1), steps(3).began);
    await watch(reportOf(3, { status: "FAILED", failure: { phase: "BUILD", message: "exit status 1" } }));
    expect((await room.newest(steps(3).stream, "BuildFailed")).body).toMatchObject({ reason: "the build failed in BUILD: exit status 1" });
    await room.deployment(4, steps(4).queue(1), steps(4).began);
    await watch(reportOf(4, { status: "TIMED_OUT" }));
    expect((await room.newest(steps(4).stream, "BuildFailed")).body).toMatchObject({ reason: expect.stringContaining("time limit") });
  });

  it("says no more of an endless message than an event has room for, and asks for no log of what did not fail", async () => {
    await room.deployment(12, steps(12).queue(1), steps(12).began);
    const logs = { group: "g", stream: "s" };
    const noLog = { [Symbol.iterator]: () => expect.unreachable("its log was read") } as unknown as readonly string[];
    await watch(reportOf(12, { status: "IN_PROGRESS", logs }), noLog);
    await watch(reportOf(12, { status: "FAILED", failure: { phase: "BUILD", message: "x".repeat(5_000) } }));
    const { reason } = (await room.newest(steps(12).stream, "BuildFailed")).body as { reason: string };
    expect(reason).toMatch(/^the build failed in BUILD: x+/);
    expect(reason.length).toBeLessThanOrEqual(2_000);
  });

  it("says what the build itself printed as its error, and where", async () => {
    const { stream, queue, began } = steps(8);
    const at = "[Container] 2026/11/23 10:00:00.123456";
    const log = [
      `${at} Running command npm run build`,
      "app/page.tsx(4,9): error TS2322: Type 'string' is not assignable to type 'number'.",
      "Failed to type check.",
      `${at} Command did not exit successfully npm run build exit status 1`,
    ];
    await room.deployment(8, queue(1), began);
    const failure = { phase: "BUILD", message: "Error while executing command: npm run build. Reason: exit status 1" };
    await watch(reportOf(8, { status: "FAILED", failure, logs: { group: "group", stream: "stream" } }), log);
    expect((await room.newest(stream, "BuildFailed")).body).toMatchObject({
      phase: "BUILD",
      reason: "app/page.tsx:4:9: TS2322: Type 'string' is not assignable to type 'number'.",
    });
  });

  it("fails a build without an artifact", async () => {
    await room.deployment(5, steps(5).queue(1), steps(5).began);
    await watch(reportOf(5, { status: "SUCCEEDED" }));
    expect((await room.newest(steps(5).stream, "BuildFailed")).body).toMatchObject({ reason: expect.stringContaining("no artifact") });
  });

  it("believes no build of another project, of nobody, or of a deployment that never was", async () => {
    await room.deployment(6, steps(6).queue(1));
    const foreign = reportOf(6, { id: "evil:6", arn: "arn:aws:codebuild:eu-west-1:000000000000:build/evil:6" });
    await expect(watch(foreign)).rejects.toThrow(Unprocessable);
    await expect(watch(reportOf(6, { deploymentId: null }))).rejects.toThrow("was not started by Shiplog");
    await expect(watch(reportOf(99))).rejects.toThrow("never requested");
    const preview = { id: "shiplog-web-preview:6", arn: "arn:aws:codebuild:eu-west-1:000000000000:build/shiplog-web-preview:6" };
    await expect(watch(reportOf(6, preview))).rejects.toThrow("whose builds are those of the project shiplog-web-production");
    expect(await room.typesOf(steps(6).stream)).toEqual(["DeploymentQueued"]);
  });
});

it("a project that an older engine gave the whole site speaks for it, until an environment has that name", () => {
  const of = (...places: [string, string][]) => ({ sites: places.map(([site, environment]) => siteConfigOf(site, environment)) });
  expect(formerProjectOf(of(["web", "live"]), "web")).toEqual(["shiplog-web"]);
  expect(formerProjectOf(of(["a-b", "c"], ["a", "b"]), "a-b")).toEqual([]);
});
