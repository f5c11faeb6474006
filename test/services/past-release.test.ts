import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_STANDING } from "../../domain/environment/standing.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { type ApiRoom, openApiRoom } from "../support/api-room.ts";
import { artifact, check, deploymentId, release, request } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

let room: ApiRoom;
beforeAll(async () => {
  room = await openApiRoom({ sites: [siteConfigOf("web", "production"), siteConfigOf("web", "staging")] });
  for (let n = 1; n <= NEWEST; n++) await deploys(n);
}, 60_000);
afterAll(() => room.close());

const NEWEST = MAX_STANDING + 2;
const by = { actor: "test", at: new Date().toISOString() };

/** A deployment from its request to its end, as the consumers write it down. */
const deploys = async (n: number): Promise<void> => {
  const id = deploymentId(n);
  const { aggregates } = room.engine;
  const because = (what: string) => ({ cause: `${id}/${what}`, correlation: id, actor: "test" });
  const give = (command: Parameters<Engine["aggregates"]["deployment"]["execute"]>[1]) =>
    aggregates.deployment.execute(id, command, because(command.type));
  const tell = (command: Parameters<Engine["aggregates"]["environment"]["execute"]>[2]) =>
    aggregates.environment.execute("web", "production", command, because(command.type));
  await tell({ type: "AdmitDeployment", request: request(n), ...by });
  await give({ type: "QueueDeployment", sequence: n, request: request(n) });
  await give({ type: "RecordBuildStarted", buildId: `shiplog:${n}`, logs: "/aws/codebuild/shiplog:one" });
  await give({ type: "RecordBuildSucceeded", buildId: `shiplog:${n}`, artifact: artifact(n) });
  await give({ type: "StartRelease", releaseId: id });
  await give({ type: "RecordChecksPassed", release: release(n), checks: [check(n)] });
  await tell({ type: "RequestFlip", deploymentId: id, sequence: n, release: release(n), ...by });
  await give({ type: "StartFlip", sequence: n });
  await tell({ type: "RecordWentLive", sequence: n });
  await give({ type: "SucceedDeployment", sequence: n });
};

describe("a rollback to a release that was live longer ago than an environment remembers", () => {
  it("is planned, and goes there", async () => {
    const to = deploymentId(1);
    expect((await room.engine.aggregates.environment.load("web", "production")).state.everLive.has(to)).toBe(false);
    expect(await room.ask("GET", `/environments/web/production/rollback?to=${to}`)).toMatchObject({
      status: 200,
      body: { plan: { to: { deploymentId: to, sequence: 1 } } },
    });
    expect(await room.ask("POST", "/environments/web/production/rollback", { to })).toMatchObject({ status: 202 });
    const { open } = (await room.engine.aggregates.environment.load("web", "production")).state;
    expect([...open.values()]).toMatchObject([{ deploymentId: to, reason: "rollback", release: release(1) }]);
  });
  it("is refused in an environment where it never was", async () => {
    expect(await room.ask("POST", "/environments/web/staging/rollback", { to: deploymentId(1) })).toMatchObject({
      status: 409,
      body: { error: { code: "release.never-live" } },
    });
  });
});
