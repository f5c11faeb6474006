import { expect, it } from "vitest";
import { beginsWithDay } from "../../../domain/kernel/calendar.ts";

it.each(["2026-02-28", "2024-02-29T10:00:00Z", "2000-02-29", "2026-12-31 23:59", "2026-04-30"])("%s is a day", (text) => {
  expect(beginsWithDay(text)).toBe(true);
});

it.each([
  "2026-02-29",
  "2026-02-30",
  "1900-02-29",
  "2026-04-31",
  "2026-13-01",
  "2026-00-10",
  "2026-01-00",
  "2026-01-32",
  "2026-01-011",
  "yesterday",
  "",
])("%j is none", (text) => {
  expect(beginsWithDay(text)).toBe(false);
});
