import { afterAll, beforeAll, expect, it } from "vitest";
import { wire as wireReconciler } from "../../services/reconcile/handler.ts";
import { until } from "../support/until.ts";
import { SITE, startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({
    environments: ["unheard", "broken", "stuck", "partial", "queued", "built", "checked", "requested", "live", "ended"],
  });
});
afterAll(() => world.close());

/** One run of the reconciler as it would be so much later. */
const reconcileIn = async (seconds: number): Promise<void> => {
  const { engine } = world.dev;
  await wireReconciler({ ...engine, clock: { ...engine.clock, now: () => Date.now() + seconds * 1_000 } })(undefined);
};
/** Runs the reconciler until the deployment has come to that end. */
const reconciledTo = (id: string, status: string, seconds = 0): Promise<unknown> =>
  until(
    `${id} to be ${status}`,
    async () => {
      await reconcileIn(seconds);
      // the row itself: the API would read on from where it stands
      return (await world.dev.engine.views.deployment(id))?.status === status;
    },
    60_000,
  );
const typesOf = async (id: string): Promise<string[]> => (await world.api.events(`deployments/${id}`)).map(({ type }) => type);
/** Every step of a deployment happened, and happened once. */
const expectEveryStepOnce = async (id: string): Promise<void> => {
  expect(await typesOf(id)).toEqual([
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
};

it("brings a deployment live although no event of CodeBuild ever arrives", async () => {
  let lost = 0;
  world.aws.endpoint.dropEvents(({ source }) => source === "aws.codebuild" && ++lost > 0);
  const id = await world.deploy("unheard");
  await reconciledTo(id, "success");
  expect(lost).toBeGreaterThan(0);
  await expectEveryStepOnce(id);

  const broken = await world.deploy("broken", { failsWith: "no such module" });
  await reconciledTo(broken, "failed");
  expect((await world.api.deployment(broken)).reason).toContain("no such module");
  world.aws.endpoint.dropEvents(undefined);
});

it.each([
  ["queued", "DeploymentQueued"],
  ["built", "BuildSucceeded"],
  ["checked", "ChecksPassed"],
  ["requested", "FlipRequested"],
  ["live", "ReleaseWentLive"],
  ["ended", "DeploymentSucceeded"],
])("sends again what the bus has lost: %s", async (environment, type) => {
  let lost = 0;
  world.aws.endpoint.dropEvents((event) => event["detail-type"] === type && ++lost === 1);
  const id = await world.deploy(environment);
  await until(`${type} to be lost`, () => lost > 0, 30_000);
  await reconciledTo(id, "success", 150);
  world.aws.endpoint.dropEvents(undefined);
  await expectEveryStepOnce(id);
});

it("republishes everything that a stuck relay holds back, and the relay does no harm when it comes to life", async () => {
  const stuck = Promise.withResolvers<void>();
  let calls = 0;
  onPutEvents("BuildSucceeded", async (send) => {
    calls += 1;
    if (calls === 1) await stuck.promise;
    return send();
  });
  const id = await world.deploy("stuck");
  await until("the relay to be stuck", () => calls > 0, 30_000);
  await reconciledTo(id, "success", 5);
  expect(world.lines.join("\n")).toContain("the relay had lost commits");

  stuck.resolve();
  await until("the relay to have caught up", async () => {
    const stream = `deployment/${id}`;
    return (await world.dev.engine.views.relayed(stream)) === (await world.dev.engine.store.read(stream, 0)).length && calls > 1;
  });
  // what the relay sends late, consumers have done already
  expect((await world.api.deployment(await world.live("stuck"))).sequence).toBe(2);
  await expectEveryStepOnce(id);
});

it("puts an entry on the bus again that failed in a call that succeeded", async () => {
  let refused = 0;
  onPutEvents("ChecksPassed", async (send) => {
    if (refused > 0) return send();
    refused += 1;
    return { output: { $metadata: {}, FailedEntryCount: 1, Entries: [{ ErrorCode: "InternalFailure" }] }, response: {} };
  });
  await expectEveryStepOnce(await world.live("partial"));
  expect(refused).toBe(1);
  expect((await world.api.environment(SITE, "partial")).live?.sequence).toBe(1);
});

/** Does something around the calls that put such an event on the bus. */
function onPutEvents(type: string, act: (send: () => Promise<unknown>) => Promise<unknown>): void {
  type Next = (args: { input: object }) => Promise<unknown>;
  const around = (next: Next) => (args: { input: object }) =>
    JSON.stringify(args.input).includes(`"DetailType":"${type}"`) ? act(() => next(args)) : next(args);
  const { middlewareStack } = world.aws.clients.eventBridge as unknown as {
    middlewareStack: { add(middleware: (next: Next) => Next, at: { step: string }): void };
  };
  middlewareStack.add(around, { step: "initialize" });
}
