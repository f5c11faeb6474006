import { expect, it } from "vitest";
import { SweepEnded } from "../../domain/environment/events.ts";
import { NotYet } from "../../engine/kit/consumer.ts";
import { type Ports, sweep } from "../../services/sweep/sweep.ts";
import { leftOf } from "../../services/sweep/take.ts";

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

it("says of much that it could not take how much that was, and what was first, in an event that can be read again", () => {
  const taken = { rows: 0, addresses: 0, versions: 0, pages: 0, tags: 0, files: 0, artifacts: 0 };
  const many = Array.from({ length: 400 }, (_, n) => ({
    thing: `version server:${n}${"x".repeat(900)}`,
    because: `no\u001b[2J${"y".repeat(3_000)}`,
  }));
  const { left } = leftOf(many);
  expect(left).toMatchObject({ count: 400 });
  expect(left?.named).toHaveLength(20);
  const event = { type: "SweepEnded", v: 1, body: { mark: 1, releases: 1, taken, bytes: 0, left } };
  expect(SweepEnded.parse(event)).toEqual(event);
  expect(JSON.stringify(left)).not.toContain("[2J");
  expect(leftOf([])).toEqual({});
});
