import { describe, expect, it } from "vitest";
import { DeploymentId, deploymentOf, deploymentStream, environmentStream, Name, siteOf } from "../../../domain/kernel/identity.ts";

describe("a name of a site or an environment", () => {
  it.each(["web", "a", "my-shop-2", "a2345678901234567890"])("may be %j", (name) => {
    expect(Name.safeParse(name).success).toBe(true);
  });
  it.each(["", "Web", "2web", "-web", "web-", "my_shop", "web/api", "wéb", "a23456789012345678901", "web\n"])("may not be %j", (name) => {
    expect(Name.safeParse(name).success).toBe(false);
  });
});

describe("a deployment's id", () => {
  it("is dep_ and a ULID", () => {
    expect(DeploymentId.safeParse("dep_01JDCW2Z8G9Q4K7M1N3P5R6T8V").success).toBe(true);
  });
  it.each([
    "01JDCW2Z8G9Q4K7M1N3P5R6T8V",
    "dep_01jdcw2z8g9q4k7m1n3p5r6t8v",
    "dep_81JDCW2Z8G9Q4K7M1N3P5R6T8V",
    "dep_01JDCW2Z8G9Q4K7M1N3P5R6T8",
    "dep_01JDCW2Z8G9Q4K7M1N3P5R6T8U",
    "dep_01JDCW2Z8G9Q4K7M1N3P5R6T8V\n",
  ])("is not %j", (id) => {
    expect(DeploymentId.safeParse(id).success).toBe(false);
  });
});

describe("a stream", () => {
  it("says what it is of", () => {
    expect(deploymentOf(deploymentStream("dep_1"))).toBe("dep_1");
    expect(siteOf(environmentStream("web", "production"))).toEqual({ site: "web", environment: "production" });
  });
  it("of one kind is not one of the other", () => {
    expect(() => deploymentOf("environment/web/production")).toThrow(/not the stream of a deployment/);
    expect(() => siteOf("deployment/dep_1")).toThrow(/not the stream of an environment/);
    expect(() => siteOf("environment/web")).toThrow(/not the stream of an environment/);
  });
});
