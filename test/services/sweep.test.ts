import { expect, it } from "vitest";
import { NotYet } from "../../engine/kit/consumer.ts";
import { type Ports, sweep } from "../../services/sweep/sweep.ts";

const NOW = Date.UTC(2026, 10, 28, 12);
const HOUR = 3_600_000;
const asked = { site: "web", environment: "production" };

/** A sweep whose environment cannot be read; what is noted is kept between its messages. */
const failing = (fault: Error = new Error("the log was changed")) => {
  const notes = new Map<string, string>();
  let [tries, now] = [0, NOW];
  const load = (): Promise<never> => {
    tries += 1;
    return Promise.reject(fault);
  };
  const ports = {
    place: () => ({}),
    aggregates: { environment: { load } },
    settled: async (what: string) => notes.get(what),
    noteSettled: async (what: string, value: string) => void notes.set(what, value),
    now: () => now,
  } as unknown as Ports;
  return {
    tries: () => tries,
    comes: async (last: boolean, actor?: string, afterMs = 0): Promise<string> => {
      now = NOW + afterMs;
      return sweep(ports)({ ...asked, actor }, { last }).then(
        () => "done",
        (error: Error) => error.message,
      );
    },
  };
};

it("is tried again by the timer a day after it failed to the last, and by a person at once", async () => {
  const { comes, tries } = failing();
  expect([await comes(false), await comes(false)]).toEqual(["the log was changed", "the log was changed"]);
  expect(await comes(true)).toBe("the log was changed");
  expect([await comes(false, undefined, HOUR), tries()]).toEqual(["done", 3]);
  expect(await comes(false, "ada", HOUR)).toBe("the log was changed");
  expect(await comes(false, undefined, 24 * HOUR)).toBe("the log was changed");
  expect(await comes(false, undefined, -HOUR)).toBe("the log was changed");
});

it("has not failed where it waits for another's claim", async () => {
  const { comes, tries } = failing(new NotYet("web/production is being swept", 60));
  expect([await comes(true), await comes(false, undefined, HOUR), tries()]).toEqual([
    "web/production is being swept",
    "web/production is being swept",
    2,
  ]);
});

it("leaves an environment alone that is not declared any more", async () => {
  const ports = { place: () => undefined, settled: async () => undefined, now: () => NOW } as unknown as Ports;
  await expect(sweep(ports)(asked, { last: false })).resolves.toBeUndefined();
});
