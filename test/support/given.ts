import { expect } from "vitest";
import { type Decider, fold, isRefusal } from "../../domain/kernel/decider.ts";

/**
 * given(past).when(command).yields(events) | .refuses(code)
 * Not named `then`: an object with a `then` is a promise to `await`, and a forgotten call would pass silently.
 */
export const specification =
  <C, S, E>(decider: Decider<C, S, E>) =>
  (...past: readonly E[]) => ({
    when(command: C) {
      const outcome = decider.decide(command, fold(decider, past));
      return {
        yields: (...events: E[]) => expect(outcome).toEqual(events),
        refuses: (code: string) => expect(isRefusal(outcome) ? outcome.refused : outcome).toBe(code),
      };
    },
  });

/** A past made by asking: every command must be accepted, so that a test's past is one that can happen. */
export const asked =
  <C, S, E>(decider: Decider<C, S, E>) =>
  (...commands: readonly C[]): E[] => {
    const events: E[] = [];
    for (const command of commands) {
      const outcome = decider.decide(command, fold(decider, events));
      if (isRefusal(outcome)) throw new Error(`${JSON.stringify(command)} was refused: ${outcome.refused}, ${outcome.because}`);
      events.push(...outcome);
    }
    return events;
  };
