import { describe, expect, it } from "vitest";
import { runBatch } from "./batch.ts";
import { faultKinds } from "./faults.ts";
import type { Figures } from "./figures.ts";
import { run } from "./run.ts";

/** `test/worlds/promises.test.ts` runs 800 more. */
const SEEDS = 200;

describe("the simulated world", () => {
  it(`keeps every promise in ${SEEDS} worlds, and everything went wrong in some of them`, async () => {
    const { violations, faults }: Figures = await runBatch({ first: 1, seeds: SEEDS, stop: false });
    expect(violations).toEqual([]);
    expect(faultKinds.filter((kind) => faults[kind] === 0)).toEqual([]);
  }, 300_000);

  // worlds in which the end of a deployment was lost ahead of the clocks; a trial of an endpoint was noted, and its message was lost
  it.each([791, 70_014_375, 70_016_219])("keeps every promise for seed %i, which once broke one", async (seed) => {
    expect((await run({ seed })).violations).toEqual([]);
  });
  it.each([1, 2, 3, 4])("is the same again for seed %i", async (seed) => {
    const [once, again] = [await run({ seed }), await run({ seed, record: true })];
    expect([again.hash, again.steps]).toEqual([once.hash, once.steps]);
  });
  it("is another one for another seed", async () => {
    expect((await run({ seed: 5 })).hash).not.toBe((await run({ seed: 7 })).hash);
  });
});
