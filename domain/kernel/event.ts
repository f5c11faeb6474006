import * as z from "zod";
import { categories } from "./identity.ts";

/** Declares one kind of event: its stored name, its schema version, its body. Stored for ever. */
export const event = <T extends string, V extends number, S extends z.ZodRawShape>(type: T, v: V, body: S) =>
  z.object({ type: z.literal(type), v: z.literal(v), body: z.object(body) });

/** What every event looks like before its kind is known. */
export type AnyEvent = { readonly type: string; readonly v: number; readonly body: unknown };

/** An event as the store remembers it and the bus carries it. The shape is public: consumers and exports rely on it. */
export type Recorded<E = AnyEvent> = E & {
  /** `<commit id>.<index in its commit>` */
  readonly id: string;
  /** `deployment/dep_01J…`, `environment/web/production`, `webhook/wh_01J…` or `letter/6f1c…` */
  readonly stream: string;
  /** version of its commit: 1, 2, 3 … without holes in the stream */
  readonly version: number;
  /** place in its commit: 0, 1 … */
  readonly index: number;
  /** 15 digits; orders the whole log, and a cause sorts before its effects */
  readonly position: string;
  /** ISO 8601 time at which the decision was made */
  readonly at: string;
  readonly actor: string;
  /** how the actor proved who they are and from where: `token:default 203.0.113.9`; "" for what the engine does itself */
  readonly origin: string;
  /** id of the event or command that this follows from */
  readonly cause: string;
  /** id of the first command of the story that this belongs to */
  readonly correlation: string;
};

/** The envelope of a recorded event, checked where it comes in from the bus; its body is checked against its kind. */
export const RecordedEnvelope = z.object({
  id: z.string().regex(/^[\w-]{22}\.\d+$/),
  stream: z.string().regex(new RegExp(`^(${categories.join("|")})/[\\w./-]+$`)),
  version: z.number().int().positive(),
  index: z.number().int().nonnegative(),
  type: z.string().min(1),
  v: z.number().int().positive(),
  body: z.unknown(),
  position: z.string().regex(/^\d{15}$/),
  at: z.string(),
  actor: z.string(),
  origin: z.string(),
  cause: z.string(),
  correlation: z.string(),
});
