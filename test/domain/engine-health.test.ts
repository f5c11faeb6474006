import { describe, expect, it } from "vitest";
import {
  lagHealth,
  lettersHealth,
  reconcilerHealth,
  type StepSeen,
  sealsHealth,
  stepsHealth,
  waitingHealth,
  worstOf,
} from "../../domain/projections/engine-health.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe("what is passed on", () => {
  const behind = (ms: number) => ({ stream: "deployment/dep_1", ageMs: ms });

  it.each([
    [10 * SECOND, "ok", null],
    [31 * SECOND, "late", "shiplog doctor"],
    [7 * MINUTE, "wrong", "shiplog doctor"],
  ] as const)("that waits for %i ms is %s", (ms, state, next) => {
    for (const part of ["relay", "projections"] as const)
      expect(lagHealth(part, { behind: [behind(ms)], looked: 3 })).toMatchObject({ part, state, next, about: "deployment/dep_1" });
  });

  it("is well where nothing waits, and else judged by what waits longest", () => {
    expect(lagHealth("relay", { behind: [], looked: 3 })).toMatchObject({ state: "ok", about: null });
    const oldest = { stream: "environment/web/production", ageMs: HOUR };
    expect(lagHealth("relay", { behind: [behind(SECOND), oldest], looked: 3 })).toMatchObject({
      state: "wrong",
      says: "2 of 3 streams have events that are not on the bus; environment/web/production since 1 h, the longest.",
      about: oldest.stream,
    });
  });
});

describe("the reconciler", () => {
  it.each([
    [MINUTE, "ok"],
    [6 * MINUTE, "late"],
    [16 * MINUTE, "wrong"],
    [undefined, "late"],
  ] as const)("that looked %s ms ago is %s", (age, state) => expect(reconcilerHealth(age).state).toBe(state));
});

describe("dead letters", () => {
  const letter = (consumer: string, ofSite = false) => ({ consumer, ageMs: HOUR, ofSite });

  it("are counted by consumer, and are wrong", () => {
    expect(lettersHealth([letter("project"), letter("notify"), letter("project")], [])).toMatchObject({
      state: "wrong",
      says: "3 messages could not be taken: project 2, notify 1, the oldest since 1 h.",
      next: "shiplog quarantine ls",
    });
  });

  it("of sites are no fault of the engine's", () => {
    expect(lettersHealth([letter("revalidation of web/production", true)], [])).toMatchObject({
      state: "ok",
      says: expect.stringContaining("could not confirm 1 page"),
    });
  });

  it("whose queue is gone are not known to be none", () => {
    expect(lettersHealth([], ["project"])).toMatchObject({ state: "wrong", next: "shiplog doctor" });
  });
});

describe("the oldest step", () => {
  const step = (status: StepSeen["status"], ms: number, change: Partial<StepSeen> = {}): StepSeen => ({
    id: `dep_${status}`,
    site: "web",
    environment: "production",
    status,
    ageMs: ms,
    reason: null,
    release: null,
    buildTimeoutMinutes: 20,
    ...change,
  });
  const release = {} as StepSeen["release"];

  it.each([
    [step("queued", 30 * SECOND), "ok"],
    [step("queued", 2 * MINUTE), "late"],
    [step("queued", HOUR, { reason: "waits for room" }), "ok"],
    [step("queued", 3 * HOUR, { reason: "waits for room" }), "wrong"],
    [step("building", 34 * MINUTE), "ok"],
    [step("building", 36 * MINUTE), "wrong"],
    [step("building", 36 * MINUTE, { buildTimeoutMinutes: 60 }), "ok"],
    [step("built", 3 * MINUTE), "late"],
    [step("deploying", 10 * MINUTE), "ok"],
    [step("deploying", 10 * MINUTE, { release }), "late"],
    [step("deploying", 101 * MINUTE), "wrong"],
    [step("cancelling", 2 * MINUTE), "late"],
    [step("held", 48 * HOUR), "ok"],
  ] as const)("%o is %s", (seen, state) => expect(stepsHealth([seen]).state).toBe(state));

  it("is the worst one, and of these the oldest; what is held is counted", () => {
    expect(stepsHealth([step("building", 30 * MINUTE), step("built", 3 * MINUTE), step("held", HOUR)])).toMatchObject({
      state: "late",
      about: "deployment/dep_built",
      next: "shiplog inspect dep_built",
      says: expect.stringContaining("2 are on their way. 1 held for a person."),
    });
    const late = [step("built", 3 * MINUTE), step("queued", 20 * MINUTE), step("cancelling", 4 * MINUTE)];
    expect(stepsHealth(late)).toMatchObject({ state: "late", about: "deployment/dep_queued" });
    expect(stepsHealth([])).toMatchObject({ state: "ok", next: null });
  });
});

describe("what waits and what is sealed", () => {
  it.each([
    [undefined, "ok"],
    [-HOUR, "ok"],
    [MINUTE, "ok"],
    [4 * MINUTE, "late"],
    [HOUR, "wrong"],
  ] as const)("a message due since %s ms is %s", (age, state) => expect(waitingHealth(age).state).toBe(state));

  it.each([
    [24 * HOUR, null, "ok"],
    [50 * HOUR, null, "late"],
    [74 * HOUR, null, "wrong"],
    [null, null, "ok"],
    [null, HOUR, "ok"],
    [null, 3 * HOUR, "late"],
    [null, 50 * HOUR, "wrong"],
  ] as const)("a seal of %s ms ago, of a log that began %s ms ago, is %s", (sealedMs, beganMs, state) =>
    expect(sealsHealth({ sealedMs, beganMs, unsealed: 0, counted: 10 }).state).toBe(state),
  );

  it("says how much is in no seal", () => {
    const says = (unsealed: number) => sealsHealth({ sealedMs: HOUR, beganMs: null, unsealed, counted: 10 }).says;
    expect([says(0), says(1), says(10)]).toEqual([
      expect.stringContaining("Everything is sealed."),
      expect.stringContaining("1 stream with something"),
      expect.stringContaining("10 streams or more with something"),
    ]);
  });

  it("the whole is as well as its worst part", () => {
    expect([worstOf([]), worstOf(["ok", "late", "ok"]), worstOf(["wrong", "late"])]).toEqual(["ok", "late", "wrong"]);
  });
});
