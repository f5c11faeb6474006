import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Waiting } from "../../engine/views/waiting-rows.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";

const NEVER = 9_000_000_000_000;
let room: ReplayRoom;
let rows: ReplayRoom["views"];
beforeAll(async () => {
  room = await startReplayRoom();
  rows = room.views;
});
afterAll(() => room.close());

const row = (key: string, due: number, body = `body of ${key}`): Waiting => ({ consumer: "deliver", key, body, due, token: body });
const dueBy = async (then: number): Promise<Waiting[]> => {
  const all: Waiting[] = [];
  for await (const page of rows.dueBy(then, NEVER)) all.push(...page);
  return all;
};
const keysDueBy = async (then: number): Promise<string[]> => (await dueBy(then)).map(({ key }) => key);
beforeEach(async () => {
  for (const one of await dueBy(NEVER)) await rows.forgetWaiting(one);
});

describe("rows that wait", () => {
  it("are found once they are due, the oldest first, whatever the length of their times", async () => {
    for (const [key, due] of [
      ["late", 100_000],
      ["early", 9],
      ["now", 1_000],
    ] as const)
      await rows.noteWaiting(row(key, due));
    expect(await keysDueBy(1_000)).toEqual(["early", "now"]);
    expect(await dueBy(9)).toEqual([expect.objectContaining(row("early", 9))]);
    expect(await keysDueBy(100_000)).toEqual(["early", "now", "late"]);
    expect(await rows.firstDue()).toBe(9);
  });

  it("are one under a name: who waits again takes its place", async () => {
    await rows.noteWaiting(row("build", 10));
    await rows.noteWaiting(row("build", 20, "again"));
    expect(await dueBy(30)).toEqual([expect.objectContaining(row("build", 20, "again"))]);
    // what was sent before is no reason to forget it, also where it was due at the same time
    await rows.forgetWaiting(row("build", 20));
    expect(await rows.waiting("deliver", "build")).toMatchObject(row("build", 20, "again"));
    await rows.forgetWaiting(row("build", 20, "again"));
    expect([await rows.waiting("deliver", "build"), await keysDueBy(30), await rows.firstDue()]).toEqual([undefined, [], undefined]);
  });

  it("are found too where only a clock that was ahead can have dated them, and in pages, however many they are", async () => {
    await rows.noteWaiting(row("ahead", NEVER + 1));
    for (let n = 0; n < 230; n++) await rows.noteWaiting(row(`k${n}`, n));
    expect(await keysDueBy(1_000)).toEqual([...Array.from({ length: 230 }, (_, n) => `k${n}`), "ahead"]);
  });
});
