import { describe, expect, it } from "vitest";
import { nextPosition, positionAt } from "../../../domain/kernel/position.ts";

const NOON = Date.UTC(2026, 10, 23, 12);

describe("a position", () => {
  it("is the wall clock, where nothing says otherwise", () => {
    expect(nextPosition(NOON, undefined, undefined)).toBe(`00${NOON}`);
    expect(nextPosition(NOON, positionAt(NOON - 5), positionAt(NOON - 9))).toBe(positionAt(NOON));
  });
  it("sorts as text as it sorts as a number", () => {
    const times = [1, 999, 1_000, NOON, NOON + 1, 9_999_999_999_999];
    const positions = times.map(positionAt);
    expect([...positions].sort()).toEqual(positions);
    expect(new Set(positions.map(({ length }) => length))).toEqual(new Set([15]));
  });
  it("rises within a stream while the clock stands still", () => {
    const first = nextPosition(NOON, undefined, undefined);
    expect(nextPosition(NOON, first, undefined) > first).toBe(true);
  });
  it("rises within a stream while the clock goes backwards", () => {
    let last = nextPosition(NOON, undefined, undefined);
    for (const now of [NOON - 1, NOON - 60_000, 0, NOON - 60_000]) {
      const next = nextPosition(now, last, undefined);
      expect(next > last).toBe(true);
      last = next;
    }
    expect(last).toBe(positionAt(NOON + 4));
  });
  it("puts a cause before its effect, though the effect's machine is slow", () => {
    const cause = positionAt(NOON + 30_000);
    expect(nextPosition(NOON, undefined, cause) > cause).toBe(true);
    expect(nextPosition(NOON, positionAt(NOON + 90_000), cause) > cause).toBe(true);
  });
  it("knows no fractions and no time before 1970", () => {
    expect(nextPosition(NOON + 0.9, undefined, undefined)).toBe(positionAt(NOON));
    expect(positionAt(-1)).toBe("0".repeat(15));
  });
});
