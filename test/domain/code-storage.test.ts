import { describe, expect, it } from "vitest";
import { type CodeStorageSample, forecastOf, withSample } from "../../domain/projections/code-storage.ts";
import { codeStorageHealth } from "../../domain/projections/engine-health.ts";

const GB = 2 ** 30;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const sample = (days: number, gigabytes: number): CodeStorageSample => ({ at: days * DAY, used: gigabytes * GB, limit: 75 * GB });

describe("how full the code storage is", () => {
  it("is noted twice a day for a month", () => {
    expect(withSample([], sample(1, 2))).toEqual([sample(1, 2)]);
    expect(withSample([sample(1, 2)], sample(1.49, 3))).toBeUndefined();
    expect(withSample([sample(1, 2)], sample(1.5, 3))).toEqual([sample(1, 2), sample(1.5, 3)]);
    let samples: CodeStorageSample[] = [];
    for (let half = 0; half < 200; half++) samples = withSample(samples, sample(half / 2, half)) ?? samples;
    expect([samples.length, samples[0]?.at]).toEqual([60, 70 * DAY]);
  });

  it("goes on after a clock that was ahead", () => {
    expect(withSample([sample(1, 2), sample(400, 3)], sample(1.1, 2))).toEqual([sample(1, 2), sample(1.1, 2)]);
  });

  it("is known before its trend is: that takes a day", () => {
    expect(forecastOf([])).toBeUndefined();
    expect(forecastOf([sample(1, 2), sample(1.5, 4)])).toEqual({ used: 4 * GB, limit: 75 * GB, perDay: null, daysLeft: null });
    expect(forecastOf([sample(1, 2), sample(2, 4)])).toMatchObject({ perDay: 2 * GB, daysLeft: 35.5 });
  });

  it("goes by all samples, not by the last two", () => {
    const samples = [0, 1, 2, 3].map((day) => sample(day, 10 + day)).concat(sample(4, 10));
    expect((forecastOf(samples)?.perDay ?? 0) / GB).toBeCloseTo(0.2);
    expect(forecastOf([sample(0, 9), sample(2, 5)])).toMatchObject({ perDay: -2 * GB, daysLeft: null });
  });
});

describe("what is said of it", () => {
  const health = (used: number, perDay: number | null, daysLeft: number | null) =>
    codeStorageHealth({ used: used * GB, limit: 75 * GB, perDay: perDay === null ? null : perDay * GB, daysLeft });

  it.each([
    [1, null, null, "ok"],
    [1, 2, 3, "ok"],
    [20, 0.5, 110, "ok"],
    [20, 2, 27, "late"],
    [20, 9, 6, "wrong"],
    [57, null, null, "late"],
    [68, -1, null, "wrong"],
  ] as const)("%s GB of 75, %s more a day and full in %s days, is %s", (used, perDay, daysLeft, state) =>
    expect(health(used, perDay, daysLeft)).toMatchObject({ state, next: state === "ok" ? null : "shiplog gc --dry-run" }),
  );

  it("is how full it is, and when it will be full", () => {
    expect(health(20, 2, 27.5).says).toBe(
      "20.0 of 75.0 GB for functions' code are used (27 %), and 2.0 GB more with each day: full in 27 days.",
    );
    expect(health(20, -1, null).says).toBe("20.0 of 75.0 GB for functions' code are used (27 %), and no more with each day.");
    expect(health(0.02, 0.001, 75_000).says).toBe(
      "0.020 of 75.0 GB for functions' code are used (0 %), and 0.001 GB more with each day: full in years.",
    );
    expect(codeStorageHealth(undefined)).toMatchObject({ state: "ok", says: expect.stringContaining("not measured yet") });
  });
});
