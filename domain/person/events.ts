import * as z from "zod";
import { event } from "../kernel/event.ts";
import { reader, type Upcasters } from "../kernel/upcast.ts";

/**
 * What can have happened to a person, whom the log has by a pseudonym. Their name is in none of these: it is in a table of its
 * own, and an event is for ever. These names and shapes are stored for ever: add a version beside the old one, never edit one.
 */
/** Their name is erased: written before it is. */
export const PersonForgotten = event("PersonForgotten", 1, { reason: z.string().min(1).max(2_000).optional() });

const kinds = [PersonForgotten] as const;

export const PersonEvent = z.discriminatedUnion("type", kinds);
export type PersonEvent = z.infer<typeof PersonEvent>;

/** Old versions of these events and how they read today. None yet. */
export const personUpcasters: Upcasters = {};

/** Reads one stored event of a person; throws `UnknownEvent`. */
export const readPersonEvent = reader<PersonEvent>(kinds as unknown as z.ZodType<PersonEvent>[], personUpcasters);
export const personEventTypes: readonly PersonEvent["type"][] = kinds.map((kind) => kind.shape.type.value);
/** As they are stored today, each with its type and version. */
export const personEventSchemas: readonly z.ZodObject[] = kinds;
