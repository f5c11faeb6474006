import { describe, expect, it } from "vitest";
import type { Recorded } from "../../domain/kernel/event.ts";
import { type Ports, sendAgain } from "../../services/reconcile/send-again.ts";

const MINUTE = 60_000;
const SINCE = "2026-01-01T12:00:00.000Z";
const event = { id: "e1" } as Recorded;
const minute = (now: number): number => (now - Date.parse(SINCE)) / MINUTE;

/** The minutes at which looks that come every so often send it again. */
const sentAt = async (until: number, every: number, first = 2): Promise<number[]> => {
  const found: number[] = [];
  const notes = new Map<string, number>();
  for (let at = every; at <= until; at += every) {
    const now = Date.parse(SINCE) + at * MINUTE;
    await sendAgain(portsAt(now, notes, found), SINCE, first * MINUTE, [event]);
  }
  return found;
};
const portsAt = (now: number, notes: Map<string, number>, found: number[]): Ports => ({
  publish: async (events) => void found.push(...events.map(() => minute(now))),
  sentAgain: async (name) => notes.get(name),
  noteSentAgain: async (name, at) => void notes.set(name, at),
  now: () => now,
});

describe("what should have gone on", () => {
  it("is sent again once it is late, then ever less often, and every hour in the end", async () => {
    expect(await sentAt(300, 2)).toEqual([4, 8, 16, 32, 64, 124, 184, 244]);
    expect(await sentAt(100, 2, 12)).toEqual([14, 28, 56]);
  });
  it("is sent again by the next look, however long none came", async () => {
    expect(await sentAt(400, 90)).toEqual([90, 180, 270, 360]);
  });
  it("is sent again by its next look where it could not be sent, and what was sent may be sent twice", async () => {
    const now = Date.parse(SINCE) + 10 * MINUTE;
    const ports = portsAt(now, new Map(), []);
    const failing = { ...ports, publish: () => Promise.reject(new Error("away")) };
    await expect(sendAgain(failing, SINCE, MINUTE, [event])).rejects.toThrow("away");
    expect(await ports.sentAgain("e1")).toBeUndefined();
  });
  it("is sent again where its last time lies ahead: a clock was wrong then", async () => {
    const found: number[] = [];
    const now = Date.parse(SINCE) + 10 * MINUTE;
    await sendAgain(portsAt(now, new Map([["e1", now + 5 * MINUTE]]), found), SINCE, MINUTE, [event]);
    expect(found).toEqual([10]);
  });
  it("is sent again where a clock that was ahead has dated it", async () => {
    const found: number[] = [];
    await sendAgain(portsAt(Date.parse(SINCE) - 60 * MINUTE, new Map(), found), SINCE, MINUTE, [event]);
    expect(found).toEqual([-60]);
  });
  it("is not sent again for a while after it was, where a clock that was ahead has dated it", async () => {
    const found: number[] = [];
    const now = Date.parse(SINCE) - 60 * MINUTE;
    const notes = new Map([["e1", now - MINUTE / 2]]);
    await sendAgain(portsAt(now, notes, found), SINCE, MINUTE, [event]);
    await sendAgain(portsAt(now + MINUTE, notes, found), SINCE, MINUTE, [event]);
    expect(found).toEqual([-59]);
  });
});
