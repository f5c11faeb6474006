import { expect, it } from "vitest";
import { explore } from "../simulation/explore/explore.ts";

it("there is no way for two flips to go backwards, each delivered twice and dying once, in 40,000 states", async () => {
  const { violation } = await explore({ deployments: 2, roles: ["server"], deliveries: 2, crashes: 1 }, 40_000);
  expect(violation).toBeNull();
});
