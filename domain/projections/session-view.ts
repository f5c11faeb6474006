import * as z from "zod";
import type { Recorded } from "../kernel/event.ts";
import { sessionOf } from "../kernel/identity.ts";
import { type SessionEvent, SessionKind } from "../session/events.ts";

/** What readers see of a session. */
export const SessionView = z.object({
  id: z.string(),
  kind: SessionKind,
  /** name of the token that was shown */
  token: z.string(),
  /** who began it: who they say they are, and the token */
  actor: z.string(),
  /** kind of credential and source address of who began it */
  origin: z.string(),
  beganAt: z.string(),
  /** when it ends by itself */
  until: z.string(),
  ended: z.object({ at: z.string(), actor: z.string(), reason: z.string().nullable() }).nullable(),
  version: z.number(),
});
export type SessionView = z.infer<typeof SessionView>;

/**
 * The number of this row's shape: raised with every change of what the projection makes of the same events. A row that has
 * another number is folded anew from its stream when it is read.
 */
export const sessionShape = 1;

/** One event's effect on what readers see of a session. The view is the caller's to keep: it is changed in place. */
export const projectSession = (view: SessionView | undefined, event: Recorded<SessionEvent>): SessionView | undefined => {
  const { at, actor, origin, version } = event;
  if (event.type === "SessionBegan") {
    const { kind, token, until } = event.body;
    return { id: sessionOf(event.stream), kind, token, actor, origin, beganAt: at, until, ended: null, version };
  }
  if (view === undefined) return undefined;
  view.version = version;
  view.ended = { at, actor, reason: event.body.reason ?? null };
  return view;
};

/** Whether it still lets somebody in. @param now ISO 8601 in UTC, with milliseconds, as `until` is */
export const isOpen = ({ ended, until }: Pick<SessionView, "ended" | "until">, now: string): boolean => ended === null && until > now;
