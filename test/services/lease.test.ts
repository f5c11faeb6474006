import { expect, it } from "vitest";
import { RebuildRunning, takeLease } from "../../operator/replay/lease.ts";

const NOON = Date.UTC(2026, 10, 24, 12);
const AHEAD = NOON + 400 * 86_400_000;

/** A lease that somebody took, until then; `renewed` by whoever holds it, each time that time passes. */
const taking = (until: number, renewed: (now: number) => number | undefined = () => undefined) => {
  let now = NOON;
  let register = { value: rebuild(until), revision: 1 };
  return takeLease({
    views: {
      rebuild: async () => register,
      setRebuild: async (revision, value) => {
        if (revision !== register.revision) return false;
        register = { value, revision: revision + 1 };
        return true;
      },
    },
    clock: {
      now: () => now,
      sleep: async (ms) => {
        now += ms;
        const other = renewed(now);
        if (other !== undefined) register = { value: rebuild(other), revision: register.revision + 1 };
      },
    },
    by: "us",
    tell: () => undefined,
  });
};
const rebuild = (until: number): string =>
  JSON.stringify({ generation: 1, views: ["deployments"], startedAt: "2026-11-24T12:00:00.000Z", by: "them", until, checkpoint: null });

it("a lease that was taken by a clock 400 days ahead, and is not renewed, is waited for as long as a lease lasts", async () => {
  expect((await taking(AHEAD)).state()).toMatchObject({ by: "them" });
});
it("a lease that is renewed by a clock 400 days ahead is kept by who has it", async () => {
  await expect(taking(AHEAD, (now) => AHEAD + now - NOON)).rejects.toThrow(RebuildRunning);
});
