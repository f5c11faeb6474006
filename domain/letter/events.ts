import * as z from "zod";
import { event } from "../kernel/event.ts";
import { reader, type Upcasters } from "../kernel/upcast.ts";

/** A stream by its whole name: what reads it may take it apart. */
export const AboutStream = z
  .string()
  .regex(/^(?:environment\/[\w-]{1,64}\/[\w-]{1,64}|(?!environment\/)[a-z]{1,20}\/[\w-]{1,100})$/, "must be the whole name of a stream");

/**
 * What people decided of a dead letter: a message that no consumer could take. Its body is in none of these: it may hold
 * anything. These names and shapes are stored for ever: add a version beside the old one, never edit one.
 */
const letter = {
  /** whose message it is: `flip-alias`, or `revalidation of web/production` */
  consumer: z.string().min(1).max(200),
  /** why it was put aside */
  failure: z.string().min(1).max(2_000),
  /** the stream that it speaks of; null where its body does not tell */
  about: AboutStream.nullable(),
};
/** Somebody had it sent to its consumer once more: written before it is sent. */
export const LetterRedriven = event("LetterRedriven", 1, { ...letter, reason: z.string().min(1).max(2_000).optional() });
/** Somebody threw it away, and why: written before it is removed. */
export const LetterDropped = event("LetterDropped", 1, { ...letter, reason: z.string().min(1).max(2_000) });

const kinds = [LetterRedriven, LetterDropped] as const;

export const LetterEvent = z.discriminatedUnion("type", kinds);
export type LetterEvent = z.infer<typeof LetterEvent>;

/** Old versions of these events and how they read today. None yet. */
export const letterUpcasters: Upcasters = {};

/** Reads one stored event of a dead letter; throws `UnknownEvent`. */
export const readLetterEvent = reader<LetterEvent>(kinds as unknown as z.ZodType<LetterEvent>[], letterUpcasters);
export const letterEventTypes: readonly LetterEvent["type"][] = kinds.map((kind) => kind.shape.type.value);
/** As they are stored today, each with its type and version. */
export const letterEventSchemas: readonly z.ZodObject[] = kinds;
