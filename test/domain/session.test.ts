import { describe, expect, it } from "vitest";
import { fold, isRefusal } from "../../domain/kernel/decider.ts";
import { isOpen } from "../../domain/projections/session-view.ts";
import type { SessionCommand } from "../../domain/session/commands.ts";
import { session } from "../../domain/session/decider.ts";
import type { SessionEvent } from "../../domain/session/events.ts";

const begin = { type: "BeginSession", token: "local", kind: "browser", proof: "0".repeat(64), until: "2026-11-27T20:00:00.000Z" } as const;
/** The codes of refusals and the types of events that these commands lead to, in turn. */
const outcomes = (...commands: readonly SessionCommand[]): string[] => {
  const events: SessionEvent[] = [];
  return commands.map((command) => {
    const outcome = session.decide(command, fold(session, events));
    if (isRefusal(outcome)) return outcome.refused;
    events.push(...outcome);
    return outcome.map(({ type }) => type).join();
  });
};

describe("a session", () => {
  it.each([
    ["is begun once", [begin, begin], ["SessionBegan", "session.begun"]],
    [
      "is ended once, however often that is asked",
      [begin, { type: "EndSession" }, { type: "EndSession" }],
      ["SessionBegan", "SessionEnded", ""],
    ],
    [
      "is used up by one alone",
      [begin, { type: "EndSession", once: true }, { type: "EndSession", once: true }],
      ["SessionBegan", "SessionEnded", "session.used"],
    ],
    ["that never began cannot be ended", [{ type: "EndSession" }], ["session.unknown"]],
    ["is not begun again after its end", [begin, { type: "EndSession" }, begin], ["SessionBegan", "SessionEnded", "session.begun"]],
  ] as const)("%s", (_, commands, wanted) => {
    expect(outcomes(...commands)).toEqual(wanted);
  });

  it("is open until its time, and not at it", () => {
    const { until } = begin;
    expect([isOpen({ ended: null, until }, "2026-11-27T19:59:59.999Z"), isOpen({ ended: null, until }, until)]).toEqual([true, false]);
    expect(isOpen({ ended: { at: until, actor: "ann", reason: null }, until }, "2026-11-27T08:00:00.000Z")).toBe(false);
  });
});
