import type { SessionEvent } from "./events.ts";

type Body<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>["body"];

/** What may be asked of a session. Only Shiplog's own code makes these: input from outside is checked at its door. */
export type SessionCommand =
  | ({ type: "BeginSession" } & Body<"SessionBegan">)
  /** `once`: refused where it is over already, so that of two who ask one alone is let through */
  | { type: "EndSession"; reason?: string; once?: true };
