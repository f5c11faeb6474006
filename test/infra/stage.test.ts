import { describe, expect, it } from "vitest";
import { isProtected } from "../../blueprint/stage.ts";
import { all, graphOf } from "./support/graph.ts";

describe("a stage", () => {
  it.each(["production", "prod", "live", "staging", undefined])("that is called %s keeps what cannot be made again", (stage) => {
    expect(isProtected(stage, {}, undefined)).toBe(true);
    expect(isProtected(stage, { SHIPLOG_THROWAWAY: "0" }, "ada")).toBe(true);
  });
  it("goes with everything in it where it says so, or is the one that SST gave this checkout", () => {
    expect(isProtected("production", { SHIPLOG_THROWAWAY: "1" }, undefined)).toBe(false);
    expect(isProtected("ada", {}, "ada")).toBe(false);
  });
  it("leaves a name free for the next one where it is thrown away, and keeps secrets for a month where it is not", () => {
    const windows = (stage: "production" | "throw-away") =>
      new Set(all(graphOf(stage), "secret").map(({ inputs }) => inputs.recoveryWindowInDays));
    expect(windows("production")).toEqual(new Set([30]));
    expect(windows("throw-away")).toEqual(new Set([0]));
    expect(graphOf("throw-away").app.protect).toBe(false);
  });
});
