import * as z from "zod";
import { event } from "../kernel/event.ts";
import { reader, type Upcasters } from "../kernel/upcast.ts";

/**
 * What can have happened to a session: somebody showed a token once and acts in its name until the session ends. The
 * session's secret is in none of these. These names and shapes are stored for ever: add a version beside the old one,
 * never edit one.
 */
export const SessionKind = z.enum(["browser", "link"]);

/**
 * `token`: the name of the token that was shown. `proof`: names the secret and the token's value together (an HMAC, hex),
 * and gives neither away. `kind`: `link` is good for one thing alone, to begin a session of a browser, once.
 */
export const SessionBegan = event("SessionBegan", 1, {
  token: z.string().min(1).max(200),
  kind: SessionKind,
  proof: z.string().regex(/^[0-9a-f]{64}$/),
  until: z.iso.datetime(),
});
/** It is over before its time: somebody signed out, ended it, or its link was followed. */
export const SessionEnded = event("SessionEnded", 1, { reason: z.string().min(1).max(500).optional() });

const kinds = [SessionBegan, SessionEnded] as const;

export const SessionEvent = z.discriminatedUnion("type", kinds);
export type SessionEvent = z.infer<typeof SessionEvent>;
export type SessionKind = z.infer<typeof SessionKind>;

/** Old versions of these events and how they read today. None yet. */
export const sessionUpcasters: Upcasters = {};

/** Reads one stored event of a session; throws `UnknownEvent`. */
export const readSessionEvent = reader<SessionEvent>(kinds as unknown as z.ZodType<SessionEvent>[], sessionUpcasters);
export const sessionEventTypes: readonly SessionEvent["type"][] = kinds.map((kind) => kind.shape.type.value);
/** As they are stored today, each with its type and version. */
export const sessionEventSchemas: readonly z.ZodObject[] = kinds;
