import { describe, expect, it } from "vitest";
import { runBatch } from "./batch.ts";
import { run } from "./run.ts";

const SEEDS = 400;

describe("the simulated world", () => {
  it(`keeps every promise in ${SEEDS} worlds`, async () => {
    const { violations } = await runBatch({ first: 1, seeds: SEEDS, stop: false });
    expect(violations).toEqual([]);
  }, 300_000);
  it("is the same again for the same seed", async () => {
    for (const seed of [1, 2, 3, 4]) {
      const [once, again] = [await run({ seed }), await run({ seed })];
      expect(again.hash).toBe(once.hash);
      expect(again.steps).toBe(once.steps);
    }
  });
  it("is another one for another seed", async () => {
    expect((await run({ seed: 5 })).hash).not.toBe((await run({ seed: 7 })).hash);
  });
});
