import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";

describe("the flip, in every order that its calls can happen", () => {
  it.each([
    { deployments: 1, roles: ["server"], deliveries: 2, crashes: 1, flooded: false },
    { deployments: 1, roles: ["revalidation", "server"], deliveries: 2, crashes: 1, flooded: false },
    { deployments: 2, roles: ["server"], deliveries: 1, crashes: 0, flooded: false },
    { deployments: 2, roles: ["revalidation", "server"], deliveries: 1, crashes: 0, flooded: false },
    { deployments: 2, roles: ["server"], deliveries: 1, crashes: 0, flooded: true },
    { deployments: 2, roles: ["revalidation", "server"], deliveries: 1, crashes: 0, flooded: true },
  ] as const)(
    "goes forwards only and ends: $deployments deployments of $roles, $deliveries deliveries each, $crashes crash each, flooded: $flooded",
    async (scope) => {
      const { violation, ends, states } = await explore(scope);
      expect(violation).toBeNull();
      expect(ends).toBeGreaterThan(0);
      expect(states).toBeGreaterThan(90);
    },
    120_000,
  );

  it("is looked at closely enough to see that nobody delivers again what died", async () => {
    const { violation } = await explore({ deployments: 1, roles: ["server"], deliveries: 1, crashes: 1 });
    expect(violation?.what).toBe("flips 1 never ended");
  });
});
