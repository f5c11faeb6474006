import { type Decider, type Refusal, refuse } from "../kernel/decider.ts";
import { withReason } from "../kernel/reason.ts";
import type { SessionCommand } from "./commands.ts";
import type { SessionEvent } from "./events.ts";

/** Only what `decide` and whoever lets somebody in need to know. */
export type Session = {
  /** as it was begun; null where it never was */
  began: Extract<SessionEvent, { type: "SessionBegan" }>["body"] | null;
  ended: boolean;
};

export const session: Decider<SessionCommand, Session, SessionEvent> = {
  shape: 1,
  initial: () => ({ began: null, ended: false }),

  evolve(state, event) {
    switch (event.type) {
      case "SessionBegan":
        state.began = event.body;
        break;
      case "SessionEnded":
        state.ended = true;
        break;
    }
    return state;
  },

  decide(given, state): readonly SessionEvent[] | Refusal {
    const command = withReason(given);
    if (command.type === "BeginSession") {
      const { type: _, ...body } = command;
      return state.began === null ? [{ type: "SessionBegan", v: 1, body }] : refuse("session.begun", "it was begun before");
    }
    if (state.began === null) return refuse("session.unknown", "it was never begun");
    if (state.ended) return command.once ? refuse("session.used", "it was followed before") : [];
    return [{ type: "SessionEnded", v: 1, body: command.reason === undefined ? {} : { reason: command.reason } }];
  },
};
