import { describe, expect, it } from "vitest";
import { ACTIONS_KEY } from "../../blueprint/site-resources.ts";
import { secretsGiven, settingsOf } from "../../engine/open-next/settings.ts";
import { siteConfigOf } from "../support/site-config.ts";

const site = siteConfigOf("web", "production");
const stored = { bucket: "static", region: "eu-west-1", set: "0123456789abcdef" };
const sizes = { server: { memoryMb: 2_048, timeoutSeconds: 30 }, revalidation: { timeoutSeconds: 60 } };
const of = (role: Parameters<typeof settingsOf>[0], declared: typeof site) =>
  settingsOf(role, "index.handler", declared, stored, { values: {}, version: "1" });
const sizeOf = (role: Parameters<typeof settingsOf>[0], declared: typeof site): number[] => {
  const { memoryMb, timeoutSeconds } = of(role, declared).settings;
  return [memoryMb, timeoutSeconds];
};

describe("the functions of a release", () => {
  it("have the sizes that their site declares, and what is usual where it says nothing", () => {
    const declared = { ...site, sizes };
    const roles = ["server", "server-api", "image", "revalidation"] as const;
    expect(roles.map((role) => sizeOf(role, declared))).toEqual([
      [2_048, 30],
      [2_048, 30],
      [1_536, 25],
      [256, 60],
    ]);
    expect(sizeOf("server", site)).toEqual([1_024, 20]);
  });

  it("give servers what their site declares, and nothing else that the secret holds", () => {
    const secrets = {
      values: { [ACTIONS_KEY]: "k", API_KEY: "a", GONE: "g" },
      version: "1",
      fingerprints: { [ACTIONS_KEY]: "0", API_KEY: "1", GONE: "2" },
    };
    const declared = { ...site, variables: ["API_KEY", "LATER"] };
    const given = settingsOf("server", "index.handler", declared, stored, secrets).settings.variables;
    expect(Object.keys(given)).toEqual(expect.arrayContaining([ACTIONS_KEY, "API_KEY", "CACHE_BUCKET_NAME"]));
    expect(Object.keys(given)).not.toContain("GONE");
    expect(settingsOf("image", "index.handler", declared, stored, secrets).settings.variables).not.toHaveProperty("API_KEY");
    expect(secretsGiven(declared, secrets)).toEqual({
      values: { [ACTIONS_KEY]: "k", API_KEY: "a" },
      version: "1",
      fingerprints: { [ACTIONS_KEY]: "0", API_KEY: "1" },
    });
  });

  it("have other settings where their sizes are others", () => {
    expect(of("server", { ...site, sizes }).name).not.toBe(of("server", site).name);
    expect(of("image", { ...site, sizes }).name).toBe(of("image", site).name);
  });
});
