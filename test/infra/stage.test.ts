import { describe, expect, it } from "vitest";
import { isProtected } from "../../blueprint/stage.ts";
import { all, graphOf } from "./support/graph.ts";

describe("a stage", () => {
  it.each(["production", "prod", "Live", "staging", undefined])("that is called %s keeps what cannot be made again", (stage) => {
    expect(isProtected(stage, undefined, undefined)).toBe(true);
    expect(isProtected(stage, "0", "ada")).toBe(true);
    expect(isProtected(stage, "try", "ada")).toBe(true);
  });
  it("goes with everything in it where it says so, or is the one that SST gave this checkout", () => {
    expect(isProtected("try", "1", undefined)).toBe(false);
    expect(isProtected("try", "try", undefined)).toBe(false);
    expect(isProtected("ada", undefined, "ada")).toBe(false);
  });
  it("that is called like production goes by its full name alone, and by no variable that was left over", () => {
    expect(isProtected("production", "1", undefined)).toBe(true);
    expect(isProtected("production", undefined, "production")).toBe(true);
    expect(isProtected("production", "production", undefined)).toBe(false);
  });
  it("leaves a name free for the next one where it is thrown away, and keeps secrets for a month where it is not", () => {
    const windows = (stage: "production" | "throw-away") =>
      new Set(all(graphOf(stage), "secret").map(({ inputs }) => inputs.recoveryWindowInDays));
    expect(windows("production")).toEqual(new Set([30]));
    expect(windows("throw-away")).toEqual(new Set([0]));
    expect(graphOf("throw-away").app.protect).toBe(false);
  });
});
