import { rm } from "node:fs/promises";
import type { SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, expect, it } from "vitest";
import { wire as publishRelease } from "../../services/publish-release/handler.ts";
import { hostileLambda } from "../support/hostile-lambda.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["publish", "build", "faulty"] });
});
afterAll(() => world.close());

const retry = (id: string) => world.api.post(`deployments/${id}/retry`);
const buildsStarted = (): number => world.aws.codeBuild.counters().buildsStarted;

it("goes on from a failed publish without a new build; what has succeeded is not tried again", async () => {
  const hostile = hostileLambda(world.aws);
  hostile.refuse({ operation: "UpdateFunctionCode", status: 400, code: "CodeStorageExceededException", times: 3 });
  const failed = await world.reached(await world.deploy("publish"), "failed");
  expect([failed.step, failed.reason]).toEqual(["publish", expect.stringContaining("Lambda refused shiplog-web-publish-")]);
  hostile.mend();

  const before = buildsStarted();
  const answer = await retry(failed.id);
  expect(answer.status).toBe(202);
  const { id, reusedFrom, releaseId, retryOf } = await world.reached(answer.body.deployment.id, "success");
  expect({ reusedFrom, releaseId, retryOf }).toEqual({ reusedFrom: failed.id, releaseId: failed.id, retryOf: failed.id });
  expect(buildsStarted()).toBe(before);
  expect((await fetch(`${world.urlOf("publish")}/`)).headers.get("x-shiplog-deployment")).toBe(id);

  const again = await retry(id);
  expect([again.status, again.body.error.code]).toEqual([409, "deployment.succeeded"]);
});

it("fails a publish whose every delivery broke, instead of leaving it to a deadline", async () => {
  const hostile = hostileLambda(world.aws);
  hostile.refuse({ operation: "UpdateFunctionCode", status: 400, code: "NobodyKnowsException", times: 100 });
  const id = await world.deploy("faulty");
  await until("the first delivery to break", () => hostile.left() < 100);
  const built = (await world.api.events(`deployments/${id}`)).find(({ type }) => type === "BuildSucceeded");
  const record = { messageId: "last", receiptHandle: "none", attributes: { ApproximateReceiveCount: "6" } };
  const body = JSON.stringify({ detail: built });
  await publishRelease(world.dev.engine)({ Records: [{ ...record, body }] } as unknown as SQSEvent);
  const { step, reason } = await world.reached(id, "failed");
  expect([step, reason]).toEqual(["publish", expect.stringMatching(/^gave up: .*planted by a test.*retry it/)]);
  hostile.mend();
});

it("builds again after a failed build, and not while one is running", async () => {
  const { waitsFor, open } = world.gate();
  await open();
  const failed = await world.reached(await world.deploy("build", { waitsFor, failsWith: "the tide is out" }), "failed");
  expect(failed.step).toBe("build");
  const before = buildsStarted();
  await rm(waitsFor);
  const { id } = (await retry(failed.id)).body.deployment;
  const early = await retry(id);
  expect([early.status, early.body.error.code]).toEqual([409, "deployment.running"]);
  await open();
  const second = await world.reached(id, "failed");
  expect(second.buildId).not.toBe(failed.buildId);
  expect(buildsStarted()).toBe(before + 1);
});
