import { describe, expect, it } from "vitest";
import { isDueAgain } from "../../services/reconcile/age.ts";

const NOW = Date.parse("2026-01-01T12:00:00.000Z");
const MINUTE = 60_000;
const ago = (minutes: number): string => new Date(NOW - minutes * MINUTE).toISOString();
/** The minutes of the first hours in which a look that comes every two minutes sends again. */
const dueIn = (minutes: number, first: number): number[] =>
  Array.from({ length: minutes / 2 }, (_, look) => look * 2 + 1).filter((age) => isDueAgain(ago(age), NOW, first * MINUTE));

describe("what should have gone on", () => {
  it("is sent again after a first while, then ever less often, and every hour in the end", () => {
    expect(dueIn(200, 2)).toEqual([3, 5, 7, 9, 11, 17, 19, 33, 35, 61, 63, 121, 123, 181, 183]);
    expect(dueIn(100, 12)).toEqual([13, 15, 25, 27, 49, 51, 61, 63]);
  });
  it("is not sent again before that while is over", () => {
    expect(isDueAgain(ago(2), NOW, 2 * MINUTE)).toBe(false);
  });
  it("is sent again at every look where a clock that was ahead has dated it", () => {
    expect(isDueAgain(ago(-60), NOW, 2 * MINUTE)).toBe(true);
  });
});
