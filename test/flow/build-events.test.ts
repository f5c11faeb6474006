import { CreateProjectCommand, StartBuildCommand } from "@aws-sdk/client-codebuild";
import { ulid } from "ulid";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCli } from "../cli/support/run-cli.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["shuffled", "claimed"] });
});
afterAll(() => world.close());

type Letter = { consumer: string; reason: string; body: string };
const letters = async (): Promise<Letter[]> => (await world.api.get("dead-letters")).body.letters;
const deadLettered = (reason: RegExp, body?: string): Promise<Letter> =>
  until(`a dead letter with the reason ${reason}`, async () =>
    (await letters()).find((letter) => reason.test(letter.reason) && (body ?? letter.body) === letter.body),
  );
const send = (body: string): Promise<void> => world.dev.engine.queues.send("watch-build", body);

const stateChange = (arn: string, status: string) => ({
  source: "aws.codebuild",
  "detail-type": "CodeBuild Build State Change",
  detail: { "build-id": arn, "build-status": status, "project-name": "shiplog-web-claimed" },
});
const arnOf = (build: string) => `arn:aws:codebuild:eu-west-1:000000000000:build/${build}`;
const unknownBuild = arnOf("shiplog-web-claimed:11111111-2222-3333-4444-555555555555");
const QUICK = JSON.stringify({ version: 0.2, phases: { build: { commands: ["true"] } } });

/** A build that somebody else started. */
const startBuild = async (projectName: string, deployment?: string) =>
  world.aws.clients.codeBuild.send(
    new StartBuildCommand({
      projectName,
      sourceTypeOverride: "NO_SOURCE",
      buildspecOverride: QUICK,
      artifactsOverride: { type: "NO_ARTIFACTS" },
      environmentVariablesOverride: deployment === undefined ? [] : [{ name: "SHIPLOG_DEPLOYMENT", value: deployment }],
    }),
  );

it.each([
  ["no JSON", "{half a mess", /JSON/],
  ["another event", { source: "aws.codebuild", "detail-type": "CodeBuild Build Phase Change", detail: {} }, /detail-type: /],
  ["no build id", stateChange("build/7", "FAILED"), /detail\.build-id: is not the ARN of a build/],
  ["an unknown status", stateChange(unknownBuild, "EXPLODED"), /build-status: is a status that CodeBuild does not document/],
  ["a build that does not exist", stateChange(unknownBuild, "SUCCEEDED"), /knows no build .*: the event is forged/],
])("puts aside %s, with the reason", async (_, message, reason) => {
  const body = typeof message === "string" ? message : JSON.stringify(message);
  await send(body);
  expect((await deadLettered(reason, body)).consumer).toBe("watch-build");
});

it("puts aside the reports of builds that belong to no deployment", async () => {
  await startBuild(world.resources("claimed").project);
  await deadLettered(/was not started by Shiplog: it names no deployment/);
  await startBuild(world.resources("claimed").project, "../etc/passwd");
  const unknown = `dep_${ulid()}`;
  await startBuild(world.resources("claimed").project, unknown);
  await deadLettered(new RegExp(`names deployment ${unknown}, which was never requested`));
  expect((await world.api.get(`deployments/${unknown}`)).status).toBe(404);
});

it("believes no build of another project that claims a deployment", async () => {
  world.aws.endpoint.dropEvents((event) => event["detail-type"] === "DeploymentQueued");
  const id = await world.deploy("claimed");
  const queued = await until("it to be queued", async () =>
    (await world.api.events(`deployments/${id}`)).find(({ type }) => type === "DeploymentQueued"),
  );
  const name = "shiplog-someone-else";
  await world.aws.clients.codeBuild.send(
    new CreateProjectCommand({
      name,
      serviceRole: "arn:aws:iam::000000000000:role/other",
      source: { type: "NO_SOURCE", buildspec: QUICK },
      artifacts: { type: "NO_ARTIFACTS" },
      environment: { type: "LINUX_CONTAINER", image: "any", computeType: "BUILD_GENERAL1_SMALL" },
    }),
  );
  await startBuild(name, id);
  await deadLettered(
    new RegExp(`build ${name}:.* names deployment ${id}, whose builds are those of the project ${world.resources("claimed").project}`),
  );
  expect((await world.api.deployment(id)).status).toBe("queued");

  world.aws.endpoint.dropEvents(undefined);
  await world.dev.engine.bus.publish([queued]);
  await world.reached(id, "success");
});

it("shows what was put aside to whoever looks, also twice in a row", async () => {
  const first = await letters();
  expect(first.length).toBeGreaterThan(5);
  expect((await letters()).length).toBe(first.length);
  const { code, out } = await runCli(["events", "--dead-letters", "--json"], {
    env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token },
  });
  expect(code).toBe(0);
  const shown = (JSON.parse(out) as { letters: Letter[] }).letters.map(({ reason }) => reason);
  expect(shown.sort()).toEqual(first.map(({ reason }) => reason).sort());
});

it("takes events of a build in any order and any number", async () => {
  world.aws.endpoint.dropEvents((event) => event.source === "aws.codebuild");
  const id = await world.deploy("shuffled");
  const build = await until("the build to end", async () => {
    const { buildId } = await world.api.deployment(id);
    const [found] = buildId === null ? [] : await world.dev.engine.builds.get([buildId]);
    return found?.status === "SUCCEEDED" && found;
  });
  const before = (await letters()).length;
  const some = ["SUCCEEDED", "IN_PROGRESS", "SUCCEEDED", "IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"];
  await Promise.all(some.map((status) => send(JSON.stringify(stateChange(build.arn, status)))));
  await world.reached(id, "success");
  const events = await world.api.events(`deployments/${id}`);
  const count = (type: string) => events.filter((event) => event.type === type).length;
  expect([count("BuildStarted"), count("BuildSucceeded"), count("DeploymentSucceeded")]).toEqual([1, 1, 1]);

  // a second look at the end changes nothing either
  await send(JSON.stringify(stateChange(build.arn, "IN_PROGRESS")));
  await send("the last message of this test");
  await until("the last message to be seen", async () => (await letters()).length > before);
  expect(await world.api.events(`deployments/${id}`)).toEqual(events);
  world.aws.endpoint.dropEvents(undefined);
});
