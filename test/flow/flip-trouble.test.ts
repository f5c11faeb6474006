import { UpdateProjectCommand } from "@aws-sdk/client-codebuild";
import { GetAliasCommand, UpdateAliasCommand, type UpdateAliasCommandInput } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { watchAliases } from "../support/alias-watch.ts";
import { hostileLambda } from "../support/hostile-lambda.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  const environments = ["drift", "poisoned", "weighted", "noticed", "mended", "throttled", "contested", "halfway"];
  world = await startWorld({ environments, sites: [{ name: "narrow", environments: [{ name: "production" }] }] });
});
afterAll(() => world.close());

/** The versions that the aliases of an environment point to. */
const versions = (environment: string): (string | undefined)[] =>
  Object.values(world.resources(environment).functions).map((name) => world.aws.lambda.alias(name, "live")?.functionVersion);
const release = async (environment: string): Promise<string | null> =>
  (await fetch(`${world.urlOf(environment)}/ssr`)).headers.get("x-shiplog-deployment");

const changeByHand = (environment: string, change: Partial<UpdateAliasCommandInput>) =>
  world.aws.clients.lambda.send(
    new UpdateAliasCommand({ FunctionName: world.resources(environment).functions.server, Name: "live", ...change }),
  );
const editByHand = (environment: string, Description: string) => changeByHand(environment, { Description });

describe.concurrent("in environments that do not see each other", () => {
  it("supersedes a deployment that waits for room to build, when a newer one is asked for", async () => {
    const { project } = siteResources("narrow", "production");
    await world.aws.clients.codeBuild.send(new UpdateProjectCommand({ name: project, concurrentBuildLimit: 1 }));
    const building = await world.deploy("production", { takes: 60_000 }, "narrow");
    await world.reached(building, "building");
    const started = await world.buildsOf("production", "narrow");
    const waiting = await world.deploy("production", {}, "narrow");
    await world.reached(waiting, "queued");
    const newer = await world.deploy("production", {}, "narrow");
    const { reason, buildId } = await world.reached(waiting, "superseded");
    expect(reason).toContain(newer);
    expect(buildId).toBeNull();
    expect((await world.api.deployment(building)).status).toBe("building");
    expect(started).toHaveLength(1);
    expect(await world.buildsOf("production", "narrow")).toEqual(started);
  });

  it("fails a deployment whose alias was edited by hand, keeps what is live, and says how to mend it", async () => {
    const first = await world.live("drift");
    const before = versions("drift");
    await editByHand("drift", "my own words");
    const second = await world.deploy("drift");
    const { step, reason } = await world.reached(second, "failed");
    expect(step).toBe("flip");
    const [, mended = "nothing"] = /--description "([^"]+)"/.exec(reason ?? "") ?? [];
    expect(mended).toBe(`seq=1 dep=${first}`);
    expect(await world.eventsOf("drift", "AliasDriftDetected")).toMatchObject([
      { body: { found: { version: before[0], description: "my own words" }, expected: { version: before[0], sequence: 1 } } },
    ]);
    await world.happened("drift", "the end of the restore", ({ type, body }) => type === "FlipFailed" && body.flip === "restore");
    expect(versions("drift")).toEqual(before);

    await editByHand("drift", mended);
    const third = await world.live("drift");
    expect(await release("drift")).toBe(third);
  });

  it("takes no sequence for its own that somebody wrote on an alias, and goes on once it is put back", async () => {
    const first = await world.live("poisoned");
    await editByHand("poisoned", `seq=1000 dep=${first}`);
    const second = await world.deploy("poisoned");
    const { step, reason } = await world.reached(second, "failed");
    expect(step).toBe("flip");
    expect(reason).toContain("its description says sequence 1000, and the log has 1");
    await world.happened("poisoned", "the end of the restore", ({ type, body }) => type === "FlipFailed" && body.flip === "restore");
    const flipped = await world.eventsOf("poisoned", "AliasFlipped");
    expect(Math.max(...flipped.map(({ body }) => Number(body.sequence)))).toBeLessThan(10);
    expect(await world.eventsOf("poisoned", "FlipSuperseded")).toEqual([]);

    await editByHand("poisoned", `seq=1 dep=${first}`);
    const third = await world.live("poisoned");
    expect(await release("poisoned")).toBe(third);
    const { server } = world.resources("poisoned").functions;
    const moves = (await world.eventsOf("poisoned", "AliasFlipped")).filter(({ body }) => body.function === server);
    expect(moves.at(-1)?.body).toMatchObject({ deploymentId: third });
  });

  it("sees weights that somebody put on an alias, says so, and clears them with the next flip", async () => {
    const first = await world.live("weighted");
    const second = await world.live("weighted");
    const { server } = world.resources("weighted").functions;
    const [old] = (await world.eventsOf("weighted", "AliasFlipped")).filter(({ body }) => body.function === server);
    const half = (version: unknown) =>
      changeByHand("weighted", { RoutingConfig: { AdditionalVersionWeights: { [String(version)]: 0.5 } } });
    await half(old?.body.to);
    await world.reconcile(undefined);
    const says = `50 % of its requests go to version ${old?.body.to}`;
    await until("the row to say so", async () => (await world.api.environment("web", "weighted")).drifts[0]?.says === says);
    expect(await world.eventsOf("weighted", "AliasDriftDetected")).toMatchObject([
      { body: { found: { weights: { [String(old?.body.to)]: 0.5 } } } },
    ]);

    const third = await world.live("weighted");
    const { RoutingConfig } = await world.aws.clients.lambda.send(new GetAliasCommand({ FunctionName: server, Name: "live" }));
    expect(RoutingConfig?.AdditionalVersionWeights ?? {}).toEqual({});
    expect(await release("weighted")).toBe(third);
    expect([first, second]).not.toContain(third);
    expect((await world.api.environment("web", "weighted")).drifts).toEqual([]);

    // what nobody looked at before the next flip is written down before it is overwritten
    await half(old?.body.to);
    await world.live("weighted");
    const told = (await world.eventsOf("weighted", "AliasDriftDetected", "AliasFlipped")).filter(({ body }) => body.function === server);
    expect(told.slice(-2).map(({ type }) => type)).toEqual(["AliasDriftDetected", "AliasFlipped"]);
  });

  it("notices by itself that an alias was edited", async () => {
    await world.live("noticed");
    await editByHand("noticed", "moved at night");
    await world.reconcile(undefined);
    await world.reconcile(undefined);
    const { server } = world.resources("noticed").functions;
    expect((await world.eventsOf("noticed", "AliasDriftDetected")).map(({ body }) => body.function)).toEqual([server]);
    expect((await world.api.environment("web", "noticed")).drifts).toMatchObject([{ function: server }]);
  });

  it("notices by itself that an edited alias is back where it was put, and that it is edited again", async () => {
    const id = await world.live("mended");
    const { server } = world.resources("mended").functions;
    const told = async () => (await world.eventsOf("mended", "AliasDriftDetected", "AliasDriftEnded")).map(({ type }) => type);
    const drifts = async () => (await world.api.environment("web", "mended")).drifts.map(({ function: name }) => name);
    for (const round of [1, 2]) {
      await editByHand("mended", "the same words");
      await world.reconcile(undefined);
      expect(await drifts()).toEqual([server]);
      await editByHand("mended", `seq=1 dep=${id}`);
      await world.reconcile(undefined);
      await world.reconcile(undefined);
      expect(await drifts()).toEqual([]);
      expect(await told()).toEqual(Array(round).fill(["AliasDriftDetected", "AliasDriftEnded"]).flat());
    }
    expect(await release("mended")).toBe(id);
  });
});

it("goes live through a throttled control plane", async () => {
  // every refusal asks for a second of patience, and gets it
  for (const operation of ["UpdateFunctionConfiguration", "UpdateFunctionCode", "UpdateAlias"]) world.aws.lambda.throttle(operation, 2);
  expect(await world.live("throttled")).toBe(await release("throttled"));
});

it("goes live though others change the functions at the same moment", async () => {
  const hostile = hostileLambda(world.aws);
  const busy = { status: 409, code: "ResourceConflictException" };
  const changed = { status: 412, code: "PreconditionFailedException" };
  hostile.refuse(
    { operation: "UpdateFunctionConfiguration", ...busy, times: 2 },
    { operation: "UpdateFunctionConfiguration", ...changed, times: 2, yetDone: true },
    { operation: "UpdateFunctionCode", ...busy, times: 2 },
    { operation: "UpdateFunctionCode", ...changed, times: 2, yetDone: true },
    { operation: "UpdateAlias", ...busy, times: 2 },
    { operation: "UpdateAlias", ...changed, times: 2 },
    // a retry of one's own success is answered so
    { operation: "UpdateAlias", ...changed, times: 3, yetDone: true },
  );
  const id = await world.live("contested");
  expect(hostile.left()).toBe(0);
  hostile.mend();
  expect(await release("contested")).toBe(id);
  expect(await world.eventsOf("contested", "AliasFlipped")).toHaveLength(3);
});

it("puts back what was live when a flip fails half-way", async () => {
  const first = await world.live("halfway");
  const second = await world.live("halfway");
  const before = versions("halfway");
  const { server, revalidation } = world.resources("halfway").functions;

  const watch = watchAliases(world.aws, [server, revalidation]);
  const hostile = hostileLambda(world.aws);
  hostile.afterEach(async (operation, name) => {
    if (operation !== "UpdateAlias" || name !== revalidation) return;
    hostile.mend();
    await world.deleteServer(first);
  });
  const { sequence } = await world.api.rollback("web", "halfway", first);
  const failed = await world.happened("halfway", "the failure", ({ type, body }) => type === "FlipFailed" && body.sequence === sequence);
  expect(failed.body.reason).toMatch(/does not exist any more/);
  await world.happened("halfway", "the restore", ({ type, body }) => type === "ReleaseWentLive" && body.reason === "restore");

  expect(versions("halfway")).toEqual(before);
  expect(await release("halfway")).toBe(second);
  // the server never moved but to what it was at; the other went there and back, forwards only
  expect(watch.stop()).toEqual({ [server]: [2, 4], [revalidation]: [2, 3, 4] });
});
