import type { z } from "zod";
import type { EventView } from "../client/contract.ts";
import { type EngineEvent, readAny } from "../domain/aggregates.ts";
import { categories, isOf } from "../domain/kernel/identity.ts";
import { clipped } from "../domain/kernel/text.ts";
import { UnknownEvent } from "../domain/kernel/upcast.ts";
import { factsOf as factsOfKnown } from "../domain/wording.ts";

/** An event as the API gives it. */
export type LoggedEvent = z.infer<typeof EventView>;

/** The event as this release knows it; `undefined` where a newer engine wrote it. */
export const knownEvent = (event: LoggedEvent): EngineEvent | undefined => {
  if (!categories.some((category) => isOf(category, event.stream))) return undefined;
  try {
    return readAny(event);
  } catch (error) {
    if (error instanceof UnknownEvent) return undefined;
    throw error;
  }
};

/** The one or two facts that matter about an event, in a few words; of one that a newer engine wrote, all that it says. */
export const factsOf = (logged: LoggedEvent): string => {
  const event = knownEvent(logged);
  return event === undefined ? clipped(JSON.stringify(logged.body), 160) : factsOfKnown(event);
};
