import { randomUUID } from "node:crypto";
import { UpdateProjectCommand } from "@aws-sdk/client-codebuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCli } from "../cli/support/run-cli.ts";
import { hostileLambda } from "../support/hostile-lambda.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  const environments = ["waiting", "building", "unseen", "finished", "publishing", "flipping", "early"];
  world = await startWorld({ environments });
});
afterAll(() => world.close());

const LONG = { takes: 60_000 };
const cancel = (id: string) => world.api.post(`deployments/${id}/cancel`, {}, { "idempotency-key": randomUUID() });
const typesOf = async (id: string): Promise<string[]> => (await world.api.events(`deployments/${id}`)).map(({ type }) => type);
const buildOf = async (id: string) => {
  const { buildId } = await world.api.deployment(id);
  const [build] = buildId === null ? [] : await world.dev.engine.builds.get([buildId]);
  return build;
};
const loseBuildEvents = (lost: boolean): void =>
  world.aws.endpoint.dropEvents(lost ? (event) => event.source === "aws.codebuild" : undefined);

it("is cancelling until its build was seen stopped, and only then cancelled", async () => {
  loseBuildEvents(true);
  const id = await world.deploy("unseen", LONG);
  await world.reached(id, "building");
  const { status, body } = await cancel(id);
  expect([status, body.deployment.status]).toEqual([202, "cancelling"]);
  await until("the build to be stopped", async () => (await buildOf(id))?.status === "STOPPED");
  expect((await world.api.deployment(id)).status).toBe("cancelling");

  loseBuildEvents(false);
  await world.reconcile(undefined);
  expect((await world.reached(id, "cancelled")).reason).toBe("its build was stopped");
});

it("refuses a second cancel, and the command says so with exit 6", async () => {
  const id = await world.deploy("building", LONG);
  await world.reached(id, "building");
  loseBuildEvents(true);
  await cancel(id);
  const again = await cancel(id);
  expect([again.status, again.body.error.code]).toEqual([409, "deployment.cancelling"]);
  const { code, err } = await shiplog("cancel", id, "--yes");
  expect([code, err]).toEqual([6, expect.stringContaining("already being cancelled")]);

  loseBuildEvents(false);
  await until("the build to be stopped", async () => (await buildOf(id))?.status === "STOPPED");
  await world.reconcile(undefined);
  await world.reached(id, "cancelled");
  const late = await cancel(id);
  expect([late.status, late.body.error.code]).toEqual([409, "deployment.ended"]);
});

it("never brings a build live that finishes while it is being cancelled", async () => {
  loseBuildEvents(true);
  const id = await world.deploy("finished");
  await until("the build to finish", async () => (await buildOf(id))?.status === "SUCCEEDED");
  expect((await cancel(id)).body.deployment.status).toBe("cancelling");
  loseBuildEvents(false);
  await world.reconcile(undefined);
  expect((await world.reached(id, "cancelled")).reason).toContain("finished while it was being cancelled");
  await world.reconcile(undefined);
  expect(await world.eventsOf("finished", "FlipRequested")).toEqual([]);
  expect((await world.api.environment("web", "finished")).live).toBeNull();
});

it("cancels at once what waits for room to build; no build of it begins", async () => {
  const project = world.resources("waiting").project;
  const limit = (concurrentBuildLimit: number) =>
    world.aws.clients.codeBuild.send(new UpdateProjectCommand({ name: project, concurrentBuildLimit }));
  await limit(1);
  const other = await world.deploy("waiting", LONG);
  await world.reached(other, "building");
  const { buildsStarted } = world.aws.codeBuild.counters();
  const id = await world.deploy("waiting");
  await until("its build to be refused", () => (world.aws.endpoint.counters()["codebuild.StartBuild"] ?? 0) > buildsStarted);
  await cancel(id);
  // the message that asked for its build comes again when there may be room
  const [queued] = (await world.api.events(`deployments/${id}`)).filter(({ type }) => type === "DeploymentQueued");
  if (queued !== undefined) await world.dev.engine.bus.publish([queued]);
  expect((await world.reached(id, "cancelled")).reason).toBe("cancelled before its build began");
  await cancel(other);
  await world.reached(other, "cancelled");
  await limit(20);
  expect(world.aws.codeBuild.counters().buildsStarted).toBe(buildsStarted);
});

it("cancels at once what is being published; nothing of it goes live", async () => {
  const live = await world.live("publishing");
  const hostile = hostileLambda(world.aws);
  const hold = hostile.hold("UpdateFunctionCode");
  const id = await world.deploy("publishing");
  await hold.reached;
  expect((await cancel(id)).body.deployment.status).toBe("cancelled");
  hold.go();
  hostile.mend();
  // the next one goes through the same functions, and comes after whatever was left of this one
  const next = await world.live("publishing");
  expect((await world.eventsOf("publishing", "ReleaseWentLive")).map(({ body }) => body.deploymentId)).toEqual([live, next]);
  expect((await typesOf(id)).slice(-2)).toEqual(["CancelRequested", "DeploymentCancelled"]);
});

it("refuses to cancel what is going live at this moment, and what is live", async () => {
  const hostile = hostileLambda(world.aws);
  const hold = hostile.hold("UpdateAlias");
  const id = await world.deploy("flipping");
  await hold.reached;
  const during = await cancel(id);
  expect([during.status, during.body.error.code]).toEqual([409, "deployment.flipping"]);
  hold.go();
  hostile.mend();
  await world.reached(id, "success");
  expect((await cancel(id)).body.error.code).toBe("deployment.ended");
});

it("leaves no build behind, however early the cancel comes", async () => {
  const ids = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const id = await world.deploy("early", LONG);
      const { status, body } = await cancel(id);
      // only a newer one that was asked for at the same moment can have come before the cancel
      if (status !== 202) expect([body.error.code, (await world.api.deployment(id)).status]).toEqual(["deployment.ended", "superseded"]);
      return id;
    }),
  );
  for (const id of ids) await world.reached(id, "cancelled", "superseded");
  await until("the last build to be stopped", async () =>
    (await world.dev.engine.builds.recent(world.resources("early").project)).every(({ status }) => status !== "IN_PROGRESS"),
  );
});

const shiplog = (...words: string[]) => runCli(words, { env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token } });
