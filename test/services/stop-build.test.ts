import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stopBuild } from "../../services/stop-build/stop-build.ts";
import { builder } from "../support/builder.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

describe("stop-build", () => {
  it("stops the build of what is being cancelled, and of nothing else", async () => {
    const { queue, began, cancel, stream, buildId } = steps(10);
    await room.deployment(10, queue(1), began);
    const { asked, builds } = builder();
    await stopBuild({ ...room, builds })(await room.newest(stream, "BuildStarted"));
    expect(asked).toEqual([]);
    await room.deployment(10, cancel);
    await stopBuild({ ...room, builds })(await room.newest(stream, "CancelRequested"));
    expect(asked).toEqual([`stop ${buildId}`]);
  });
});
