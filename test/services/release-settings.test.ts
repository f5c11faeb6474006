import { describe, expect, it } from "vitest";
import { settingsOf } from "../../engine/open-next/settings.ts";
import { siteConfigOf } from "../support/site-config.ts";

const site = siteConfigOf("web", "production");
const sizes = { server: { memoryMb: 2_048, timeoutSeconds: 30 }, revalidation: { timeoutSeconds: 60 } };
const of = (role: Parameters<typeof settingsOf>[0], declared: typeof site) =>
  settingsOf(role, "index.handler", declared, { bucket: "static", region: "eu-west-1" }, { values: {}, version: "1" });
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

  it("have other settings where their sizes are others", () => {
    expect(of("server", { ...site, sizes }).name).not.toBe(of("server", site).name);
    expect(of("image", { ...site, sizes }).name).toBe(of("image", site).name);
  });
});
