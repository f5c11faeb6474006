import type { Decider } from "../kernel/decider.ts";
import { withReason } from "../kernel/reason.ts";
import { clipped, storable } from "../kernel/text.ts";
import type { LetterCommand } from "./commands.ts";
import type { LetterEvent } from "./events.ts";

/** The last decision; null where there was none. */
export type LetterState = { decided: LetterEvent["type"] | null };

/**
 * A decision is written before it is carried out, so that nothing is sent or removed of which the log does not know who
 * did it. Who finds a letter that was decided and is still there finishes it, or decides anew: both is asked for by hand.
 */
export const letter: Decider<LetterCommand, LetterState, LetterEvent> = {
  shape: 1,
  initial: () => ({ decided: null }),

  evolve(state, event) {
    state.decided = event.type;
    return state;
  },

  decide(given, state): readonly LetterEvent[] {
    const { type, ...rest } = withReason(given);
    const failure = clipped(storable(rest.failure).trim(), 2_000) || "no reason was given";
    const told = type === "RedriveLetter" ? "LetterRedriven" : "LetterDropped";
    return state.decided === told ? [] : [{ type: told, v: 1, body: { ...rest, failure } } as LetterEvent];
  },
};
