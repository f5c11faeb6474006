import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stopBuild } from "../../services/stop-build/stop-build.ts";
import { builder } from "../support/builder.ts";
import { deploymentId } from "../support/samples.ts";
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
    const wakeStart = async (id: string): Promise<void> => void asked.push(`wake ${id}`);
    await stopBuild({ ...room, builds, wakeStart })(await room.newest(stream, "BuildStarted"));
    expect(asked).toEqual([]);
    await room.deployment(10, cancel);
    await stopBuild({ ...room, builds, wakeStart })(await room.newest(stream, "CancelRequested"));
    expect(asked).toEqual([`stop ${buildId}`]);
  });

  it("hands a build that waits for room to who starts it, which knows that there is none: nobody waits a minute for a cancel", async () => {
    const { queue, cancel, stream } = steps(11);
    await room.deployment(11, queue(1), { type: "RecordBuildDeferred", reason: "no room" }, cancel);
    const woken: string[] = [];
    const { asked, builds } = builder();
    await stopBuild({ ...room, builds, wakeStart: async (id) => void woken.push(id) })(await room.newest(stream, "CancelRequested"));
    expect([woken, asked]).toEqual([[deploymentId(11)], []]);
  });
});
