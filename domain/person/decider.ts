import type { Decider } from "../kernel/decider.ts";
import { withReason } from "../kernel/reason.ts";
import type { PersonCommand } from "./commands.ts";
import type { PersonEvent } from "./events.ts";

export type Person = { forgotten: boolean };

/** Nobody is forgotten twice: whoever comes back has another pseudonym. */
export const person: Decider<PersonCommand, Person, PersonEvent> = {
  shape: 1,
  initial: () => ({ forgotten: false }),

  evolve(state) {
    state.forgotten = true;
    return state;
  },

  decide(given, state): readonly PersonEvent[] {
    const { type: _, ...body } = withReason(given);
    return state.forgotten ? [] : [{ type: "PersonForgotten", v: 1, body }];
  },
};
