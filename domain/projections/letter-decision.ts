import * as z from "zod";
import { readKnown } from "../aggregates.ts";
import type { Recorded } from "../kernel/event.ts";

/** The last that somebody decided of a dead letter. */
export const LetterDecision = z.object({
  what: z.enum(["redriven", "dropped"]),
  at: z.string(),
  by: z.string(),
  /** what they gave as the reason */
  why: z.string().nullable(),
});
export type LetterDecision = z.infer<typeof LetterDecision>;

/** What is known of a letter by its events; `undefined` where nobody has decided anything of it. */
export const decidedOf = (events: readonly Recorded[]) => {
  const last = readKnown("letter", events).at(-1);
  if (last === undefined) return undefined;
  const { consumer, failure, about, reason } = last.body;
  const what = last.type === "LetterRedriven" ? ("redriven" as const) : ("dropped" as const);
  return { consumer, reason: failure, about, decided: { what, at: last.at, by: last.actor, why: reason ?? null } };
};
