import { expect, it } from "vitest";
import { runBatch } from "../simulation/batch.ts";

it("every promise is kept in the 800 worlds that the quick tests have no time for", async () => {
  const { violations } = await runBatch({ first: 201, seeds: 800, stop: false });
  expect(violations).toEqual([]);
});
