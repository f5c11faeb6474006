import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { projectDeployment } from "../../domain/projections/deployment-view.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import type { ReadBack } from "../../engine/log/read-back.ts";
import { advance } from "../../services/advance/advance.ts";
import { reconcileDeployment } from "../../services/reconcile/deployments.ts";
import { reconcileEnvironment } from "../../services/reconcile/environments.ts";
import { backIn } from "../support/read-back.ts";
import { at, deploymentId } from "../support/samples.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const MINUTE = 60_000;
const TOLD = ["ChecksPassed", "FlipHeld", "FlipSuperseded", "FlipFailed", "ReleaseWentLive", "DeploymentCancelled", "DeploymentFailed"];
const by = { actor: "ada", at: at() };

/**
 * A deployment that is ready to go live, in a site of its own. Of what happens to it next every message to `advance` is
 * given up; only what the reconciler sends again arrives there.
 */
const ready = async (n: number, site: string) => {
  const { place, stream, admit, queue, began, built, published, flip } = steps(n, site);
  await room.environment(site, admit);
  await room.deployment(n, queue(1), began, built, ...published);
  const events = async (of: string): Promise<Recorded[]> => {
    const { eventsOf } = await import("../../engine/log/codec.ts");
    return (await room.commits(of)).flatMap(eventsOf);
  };
  const sent: string[] = [];
  const publish = async (again: readonly Recorded[]): Promise<void> => {
    for (const event of again) {
      sent.push(event.type);
      if (TOLD.includes(event.type)) await advance(room)(event as never);
    }
  };
  const view = async (): Promise<DeploymentView> => {
    let row: DeploymentView | undefined;
    for (const event of await events(stream)) row = projectDeployment(row, event as never);
    return row as DeploymentView;
  };
  /** One run of the reconciler, so long after everything else. */
  const reconcileAfter = async (minutes: number, back: ReadBack = backIn(events)): Promise<string> => {
    const sent = { sentAgain: async () => undefined, noteSentAgain: async () => undefined };
    const shared = {
      ...sent,
      aggregates: room.aggregates,
      events,
      back,
      publish,
      now: () => Date.parse(at()) + minutes * MINUTE,
    };
    const none = { get: async () => [], find: async () => undefined, stop: async () => undefined };
    await reconcileEnvironment({
      ...shared,
      alias: async () => undefined,
      store: () => undefined,
      row: async () => undefined,
      addresses: { find: async () => undefined },
      isDeclared: () => true,
      isProjected: async () => true,
      isProjectedTo: async () => true,
      settled: async () => undefined,
      noteSettled: async () => undefined,
    })(site, "production");
    await reconcileDeployment({
      ...shared,
      builds: none,
      reportBuild: async () => undefined,
      askedAgainAt: async () => undefined,
      buildTimeoutMinutes: () => 20,
    })(await view());
    return (await view()).status;
  };
  const happens = (...commands: EnvironmentCommand[]): Promise<void> => room.environment(site, ...commands);
  const startsFlip = (): Promise<void> => room.deployment(n, { type: "StartFlip", sequence: 1 });
  return { place, stream, flip: flip(1), happens, startsFlip, reconcileAfter, sent, deployment: room.deployment, view };
};

describe("a deployment whose end was told to nobody", () => {
  it.each([
    ["went live", "success", { type: "RecordWentLive", sequence: 1 }],
    ["could not be flipped", "failed", { type: "RecordFlipFailed", sequence: 1, reason: "a version is gone", moved: false }],
  ] as const)("%s, and hears so from the reconciler, however late that comes", async (_, status, end) => {
    for (const minutes of [3, 600]) {
      const n = 100 + minutes + (status === "success" ? 0 : 1);
      const here = await ready(n, `${status}-${minutes}`);
      await here.happens(here.flip);
      await here.startsFlip();
      await here.happens(end);
      expect(await here.reconcileAfter(minutes)).toBe(status);
    }
  });
  it("was superseded while it waited for a pin, and hears so", async () => {
    const here = await ready(2, "held");
    await here.happens({ type: "PinEnvironment", reason: "frozen" }, here.flip);
    // the message that it is held is given up too
    expect(await here.reconcileAfter(3)).toBe("held");
    expect(await here.reconcileAfter(600)).toBe("held");
    const newer = steps(3, "held");
    await here.happens(newer.admit, newer.flip(2));
    expect(await here.reconcileAfter(600)).toBe("superseded");
  });
  it("was never asked to be flipped: that alone is failed, and not before it was sent again for long", async () => {
    const here = await ready(4, "unasked");
    expect(await here.reconcileAfter(101)).toBe("failed");
    expect((await here.view()).reason).toBe("its flip was never requested; retry it");
    const other = await ready(5, "unasked-yet");
    await other.reconcileAfter(70);
    expect(other.sent).toContain("ChecksPassed");
    expect(await room.typesOf(other.place)).toContain("FlipRequested");
  });
  it("is asked about in its environment's past as far as its own beginning, and no further", async () => {
    const here = await ready(30, "long");
    await here.happens(here.flip);
    await here.startsFlip();
    await here.happens({ type: "RecordFlipFailed", sequence: 1, reason: "a version is gone", moved: false });
    // what was told of it is missing, and much happened before it began
    const own = (await room.events(here.place)).filter(({ type }) => type !== "FlipFailed").toReversed();
    let read = 0;
    const back: ReadBack = async function* () {
      for (const event of [...own, ...own.filter(({ type }) => type !== "DeploymentAdmitted")]) {
        read += 1;
        yield event;
      }
    };
    await here.reconcileAfter(3, back);
    expect(read).toBe(own.length);
  });
  it("is told nothing of an earlier hold while its flip is open", async () => {
    const here = await ready(20, "open");
    await here.happens({ type: "PinEnvironment", reason: "frozen" }, here.flip, { type: "UnpinEnvironment", ...by });
    await here.reconcileAfter(3);
    expect(here.sent).not.toContain("FlipHeld");
  });
  it("is told nothing that concerns a rollback to it", async () => {
    const here = await ready(6, "rolled-back");
    await here.happens(here.flip);
    await here.startsFlip();
    await here.happens({ type: "RecordWentLive", sequence: 1 });
    const newer = steps(7, "rolled-back");
    await here.happens(newer.admit, newer.flip(2), { type: "RecordWentLive", sequence: 2 });
    await here.happens(
      { type: "RequestRollback", to: deploymentId(6), ...by },
      { type: "RecordFlipFailed", sequence: 3, reason: "away", moved: false },
    );
    expect(await here.reconcileAfter(30)).toBe("success");
  });
});

it("lets go what waits for a deployment that has ended, where nobody told the environment", async () => {
  const here = await ready(8, "withdrawn");
  await here.happens({ type: "PinEnvironment", reason: "frozen" }, here.flip);
  await here.deployment(8, { type: "RequestCancel" });
  await here.reconcileAfter(3);
  expect(await room.typesOf(here.place)).toContain("FlipWithdrawn");
});
