import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import type { BuildReport } from "../../engine/aws/builds.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { reconcileDeployment } from "../../services/reconcile/deployments.ts";
import { backIn } from "../support/read-back.ts";
import { at, deploymentId } from "../support/samples.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const MINUTE = 60_000;
let made = 0;

/** A deployment with this past whose builds are these, looked at so many minutes after its last step. */
const look = async (
  minutes: number,
  past: "queued" | "deferred" | "building" | "cancelling" | "cancelled before it began",
  builds: readonly Partial<BuildReport>[] = [],
  /** in so many minutes its build is asked for again by itself */
  waits?: number,
) => {
  const n = ++made;
  const { stream, queue, began, cancel } = steps(n);
  const commands: Record<typeof past, DeploymentCommand[]> = {
    queued: [queue(1)],
    deferred: [queue(1), { type: "RecordBuildDeferred", reason: "it has no room" }],
    building: [queue(1), began],
    cancelling: [queue(1), began, cancel],
    "cancelled before it began": [queue(1), cancel],
  };
  await room.deployment(n, ...commands[past]);
  const events = async (of: string): Promise<Recorded[]> => (await room.commits(of)).flatMap(eventsOf);
  const before = (await room.typesOf(stream)).length;
  const did: string[] = [];
  await reconcileDeployment({
    aggregates: room.aggregates,
    events,
    back: backIn(events),
    publish: async (again) => void did.push(...again.map(({ type }) => `sent ${type}`)),
    sentAgain: async () => undefined,
    noteSentAgain: async () => undefined,
    builds: {
      get: async (ids) => builds.map((build) => ({ id: ids[0], ...build }) as BuildReport),
      find: async () => undefined,
      stop: async () => void did.push("stopped"),
    },
    reportBuild: async ({ status }) => void did.push(`reported ${status}`),
    askedAgainAt: async () => (waits === undefined ? undefined : Date.parse(at()) + (minutes + waits) * MINUTE),
    buildTimeoutMinutes: () => 20,
    now: () => Date.parse(at()) + minutes * MINUTE,
  })({ id: deploymentId(n), version: 99, site: "web", environment: "production" } as DeploymentView);
  return { n, did, wrote: (await room.typesOf(stream)).slice(before) };
};

describe("a deployment that waits for its build", () => {
  it.each([
    [0.5, [], []],
    [2, ["sent DeploymentQueued"], []],
    [119, ["sent DeploymentQueued"], []],
    [121, [], ["DeploymentFailed"]],
  ])("is queued again after a minute and has failed after two hours: %d minutes", async (minutes, did, wrote) => {
    expect(await look(minutes, "queued")).toMatchObject({ did, wrote });
  });
});

describe("a deployment whose build waits for room", () => {
  it.each([
    ["is not asked for by the reconciler too, while its own wait brings it again", [1, -1, 4], []],
    [
      "is asked for where that wait is lost, overdue, or dated by a clock that was wrong",
      [undefined, -6, 1_800],
      ["sent DeploymentQueued"],
    ],
  ])("%s", async (_, waits, did) => {
    for (const minutes of waits) expect((await look(119, "deferred", [], minutes)).did).toEqual(did);
  });
  it("has failed after two hours, with what the builder said", async () => {
    const { n, wrote } = await look(121, "deferred", [], 1);
    expect(wrote).toEqual(["DeploymentFailed"]);
    expect((await room.newest(steps(n).stream, "DeploymentFailed")).body).toEqual({
      step: "queue",
      reason: "no build began within two hours: it has no room; retry it",
    });
  });
});

describe("a deployment that builds", () => {
  it.each(["SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT"])("is told that its build is %s, at once", async (status) => {
    expect(await look(0, "building", [{ status }])).toMatchObject({ did: [`reported ${status}`], wrote: [] });
  });
  it("has until its build's time limit, and a quarter of an hour more", async () => {
    const running = [{ status: "IN_PROGRESS" }];
    expect(await look(34, "building", running)).toMatchObject({ did: [], wrote: [] });
    expect(await look(36, "building", running)).toMatchObject({ did: ["stopped"], wrote: ["DeploymentFailed"] });
  });
  it("has failed by then where there is no such build any more, and nothing is stopped", async () => {
    expect(await look(34, "building")).toMatchObject({ did: [], wrote: [] });
    expect(await look(36, "building")).toMatchObject({ did: [], wrote: ["DeploymentFailed"] });
  });
  it("has failed at once where there is none and a clock that was ahead has dated it; one that waits is asked for", async () => {
    expect(await look(-600, "building")).toMatchObject({ did: [], wrote: ["DeploymentFailed"] });
    expect(await look(-600, "building", [{ status: "IN_PROGRESS" }])).toMatchObject({ did: [], wrote: [] });
    expect(await look(-600, "queued")).toMatchObject({ did: ["sent DeploymentQueued"], wrote: [] });
  });
});

describe("a deployment that is being cancelled", () => {
  it("has its build stopped again after a minute, for as long as that runs", async () => {
    expect(await look(0.5, "cancelling", [{ status: "IN_PROGRESS" }])).toMatchObject({ did: [], wrote: [] });
    expect(await look(2, "cancelling", [{ status: "IN_PROGRESS" }])).toMatchObject({ did: ["stopped"], wrote: [] });
    expect(await look(2, "cancelling", [{ status: "STOPPED" }])).toMatchObject({ did: ["reported STOPPED"], wrote: [] });
  });
  it("has ended where its build does not exist any more", async () => {
    expect(await look(2, "cancelling")).toMatchObject({ did: [], wrote: ["DeploymentCancelled"] });
  });
  it("and was never seen to build has a minute in which its build may still be found", async () => {
    expect(await look(0.5, "cancelled before it began")).toMatchObject({ did: [], wrote: [] });
    expect(await look(2, "cancelled before it began")).toMatchObject({ did: [], wrote: ["DeploymentCancelled"] });
  });
});
