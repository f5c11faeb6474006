import { describe, expect, it } from "vitest";
import { batchesAtOnce, reservedConcurrency } from "../../blueprint/concurrency.ts";
import { engineFunctions } from "../../blueprint/engine-functions.ts";
import { type Consumer, consumers } from "../../blueprint/topology.ts";

const names = engineFunctions.map(({ name }) => name as Parameters<typeof reservedConcurrency>[0]);
const reserved = (quota: number): number[] => names.flatMap((name) => reservedConcurrency(name, quota) ?? []);
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

describe("an account that may run", () => {
  it.each([10, 50, 100, 389])("%i functions at a time has none to reserve: Lambda would refuse it", (quota) => {
    expect(reserved(quota)).toEqual([]);
  });

  it.each([390, 1_000, 10_000])("%i keeps some for the relay, the API and the flip, and 100 at least for all others", (quota) => {
    expect(names.filter((name) => reservedConcurrency(name, quota) !== undefined).sort()).toEqual(["api", "flip-alias", "relay"]);
    expect(quota - sum(reserved(quota))).toBeGreaterThanOrEqual(100);
  });

  it.each([
    [10, 2],
    [100, 4],
    [1_000, 10],
  ])("%i has each queue read by %i batches at a time, or as many as its consumer says", (quota, batches) => {
    for (const consumer of consumers as readonly Consumer[])
      expect(batchesAtOnce(consumer, quota), consumer.name).toBe(
        batches < 10 ? Math.min(batches, consumer.concurrency ?? batches) : (consumer.concurrency ?? batches),
      );
  });

  it("1,000 lets a flip's queue be read by no more batches than its function may run", () => {
    expect(batchesAtOnce({}, 1_000)).toBeLessThanOrEqual(reservedConcurrency("flip-alias", 1_000) ?? 0);
  });
});
