import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Subscribed } from "../../blueprint/topology.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { advance } from "../../services/advance/advance.ts";
import { at, deploymentId } from "../support/samples.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

type Event = Recorded<Subscribed<"advance">>;
/** Tells of the newest event of a type, twice: a message may come again. */
const tell = async (stream: string, type: string): Promise<void> => {
  const event = await room.newest<Event>(stream, type);
  for (const _ of ["told", "told again"]) await advance(room)(event);
};

/** The deployment is ready to go live in a site of its own, and has asked to. */
const flipAsked = async (n: number, site: string): Promise<void> => {
  const { admit, queue, began, built, published, stream } = steps(n, site);
  await room.environment(site, admit);
  await room.deployment(n, queue(1), began, built, ...published);
  await tell(stream, "ChecksPassed");
};

describe("advance", () => {
  it("queues what was admitted, and supersedes the one before only while that waits", async () => {
    const [one, two, three] = [steps(1, "queue"), steps(2, "queue"), steps(3, "queue")];
    await room.environment("queue", one.admit);
    await tell(one.place, "DeploymentAdmitted");
    await room.environment("queue", two.admit);
    await tell(one.place, "DeploymentAdmitted");
    expect(await room.typesOf(one.stream)).toEqual(["DeploymentQueued", "DeploymentSuperseded"]);
    await room.deployment(2, two.began);
    await room.environment("queue", three.admit);
    await tell(one.place, "DeploymentAdmitted");
    expect(await room.typesOf(two.stream)).toEqual(["DeploymentQueued", "BuildStarted"]);
    expect(await room.typesOf(three.stream)).toEqual(["DeploymentQueued"]);
  });

  it("asks for the flip of what passed its checks, once", async () => {
    await flipAsked(4, "flip");
    expect(await room.typesOf(steps(4, "flip").place)).toEqual(["DeploymentAdmitted", "FlipRequested"]);
  });

  it("tells a deployment that it is held, and takes a cancelled one out of the queue", async () => {
    await room.environment("held", { type: "PinEnvironment", reason: "a sale" });
    await flipAsked(5, "held");
    const { place, stream, cancel } = steps(5, "held");
    await tell(place, "FlipHeld");
    expect((await room.typesOf(stream)).at(-1)).toBe("DeploymentHeld");
    await room.deployment(5, cancel);
    await tell(stream, "DeploymentCancelled");
    expect((await room.typesOf(place)).at(-1)).toBe("FlipWithdrawn");
    await room.environment("held", { type: "UnpinEnvironment", actor: "ada", at: at() });
    expect((await room.typesOf(place)).filter((type) => type === "FlipRequested")).toEqual([]);
  });

  it("asks for no flip of what was cancelled meanwhile", async () => {
    const { admit, queue, began, built, published, cancel, stream, place } = steps(12, "cancelled");
    await room.environment("cancelled", admit);
    await room.deployment(12, queue(1), began, built, ...published, cancel);
    await tell(stream, "ChecksPassed");
    expect(await room.typesOf(place)).toEqual(["DeploymentAdmitted"]);
  });

  it("ends a deployment as its flip ended", async () => {
    await flipAsked(6, "live");
    await room.deployment(6, { type: "StartFlip", sequence: 1 });
    await room.environment("live", { type: "RecordWentLive", sequence: 1 });
    await tell(steps(6, "live").place, "ReleaseWentLive");
    expect((await room.typesOf(steps(6).stream)).at(-1)).toBe("DeploymentSucceeded");

    await flipAsked(7, "failed");
    await room.environment("failed", { type: "RecordFlipFailed", sequence: 1, reason: "its version is gone", moved: false });
    await tell(steps(7, "failed").place, "FlipFailed");
    expect((await room.newest(steps(7).stream, "DeploymentFailed")).body).toMatchObject({ step: "flip", reason: "its version is gone" });

    await flipAsked(8, "late");
    await room.environment("late", steps(9, "late").admit, steps(9, "late").flip(2));
    await room.environment("late", { type: "RecordFlipSuperseded", sequence: 1, by: 2 });
    await tell(steps(8, "late").place, "FlipSuperseded");
    expect((await room.newest(steps(8).stream, "DeploymentSuperseded")).body).toMatchObject({ by: { sequence: 2 } });
  });

  it("leaves the deployment alone whose release a failed rollback would have gone to", async () => {
    for (const [n, sequence] of [
      [10, 1],
      [11, 2],
    ] as const) {
      await room.environment("back", steps(n, "back").admit, steps(n, "back").flip(sequence), { type: "RecordWentLive", sequence });
    }
    await room.deployment(10, steps(10, "back").queue(1));
    await room.environment("back", { type: "RequestRollback", to: deploymentId(10), actor: "ada", at: at() });
    await room.environment("back", { type: "RecordFlipFailed", sequence: 3, reason: "it answers 500", moved: false });
    await tell(steps(10, "back").place, "FlipFailed");
    expect(await room.typesOf(steps(10).stream)).toEqual(["DeploymentQueued"]);
  });
});
