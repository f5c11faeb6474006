import type { z } from "zod";
import type { AnyEvent } from "./event.ts";

/** Turns the body of version n of an event into the body of version n + 1. Pure; old bodies are never edited. */
export type Upcaster = (body: never) => unknown;
/** `{ BuildStarted: { 1: body1to2 } }` */
export type Upcasters = Readonly<Record<string, Readonly<Record<number, Upcaster>>>>;

/** A stored event that this code does not know: a newer writer's, or a broken log. */
export class UnknownEvent extends Error {
  override readonly name = "UnknownEvent";
}

/**
 * Reads stored events of one aggregate: upcasts to the newest version, then checks.
 * One schema a type, looked up by name: a union of twenty would be tried one after another.
 */
export const reader = <E extends AnyEvent>(kinds: readonly z.ZodType<E>[], upcasters: Upcasters) => {
  const byType = new Map(kinds.map((kind) => [typeOf(kind), kind]));
  return (stored: AnyEvent): E => {
    const kind = byType.get(stored.type);
    if (kind === undefined)
      throw new UnknownEvent(
        `The log holds an event "${stored.type}" that this release does not know. Run the release that wrote it, or a newer one.`,
      );
    const parsed = kind.safeParse(upcast(stored, upcasters));
    if (!parsed.success)
      throw new UnknownEvent(
        `The log holds an event ${stored.type}@${stored.v} that does not have its shape: ${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`,
      );
    return parsed.data;
  };
};

const upcast = (stored: AnyEvent, upcasters: Upcasters): AnyEvent => {
  let { v, body } = stored;
  for (let step = upcasters[stored.type]?.[v]; step !== undefined; step = upcasters[stored.type]?.[v]) {
    body = step(body as never);
    v += 1;
  }
  return v === stored.v ? stored : { type: stored.type, v, body };
};

const typeOf = (kind: z.ZodType): string => {
  const shape = (kind as unknown as { shape?: { type: { value: string } } }).shape;
  if (shape === undefined) throw new Error("An event's schema must be made by event()");
  return shape.type.value;
};
