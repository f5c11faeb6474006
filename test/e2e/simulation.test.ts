import { describe, expect, it } from "vitest";
import { runBatch } from "../simulation/batch.ts";
import { explore } from "../simulation/explore/explore.ts";
import { hunt } from "../simulation/mutants/hunt.ts";
import { mutants, rare } from "../simulation/mutants/mutants.ts";

/** What the quick tests have no time for. */
describe("the simulated world", () => {
  it("keeps every promise in the other 1,800 worlds", async () => {
    const { violations } = await runBatch({ first: 201, seeds: 1_800, stop: false });
    expect(violations).toEqual([]);
  });
  it.each(mutants.filter(({ name }) => !rare.has(name)))("sees it where $name", async (mutant) => {
    expect((await hunt(mutant, 3_000)).caughtBy).not.toBeNull();
  });
  it("knows no way for two flips to go backwards, each delivered twice and dying once, in 40,000 states", async () => {
    const { violation } = await explore({ deployments: 2, roles: ["server"], deliveries: 2, crashes: 1 }, 40_000);
    expect(violation).toBeNull();
  });
});
