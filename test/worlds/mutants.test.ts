import { expect, it } from "vitest";
import { hunt } from "../simulation/mutants/hunt.ts";
import { mutants, rare } from "../simulation/mutants/mutants.ts";

// each in a process of its own, as many at once as there are processors
it.concurrent.each(mutants.filter(({ name }) => !rare.has(name)))("the simulated world sees it where $name", async (mutant) => {
  expect((await hunt(mutant, 3_000)).caughtBy).not.toBeNull();
});
