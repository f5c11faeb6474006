import type { Recorded } from "../../domain/kernel/event.ts";
import { ageOf } from "../../engine/kit/age.ts";

export type Ports = {
  publish(events: readonly Recorded[]): Promise<void>;
  /** when this event was last sent again, in milliseconds since 1970; `undefined`: never, or days ago */
  sentAgain(event: string): Promise<number | undefined>;
  noteSentAgain(event: string, at: number): Promise<void>;
  now(): number;
};

const LONGEST_MS = 60 * 60_000;

/**
 * Sends what should have led on again, once it is late; then when it is twice as late, and every hour in the end. Its message
 * comes back by itself through an outage of an hour, and must not meet thirty more of its kind when that is over.
 *
 * @param since when it should have gone on, ISO 8601
 * @param first milliseconds after which it is late
 */
export const sendAgain = async (ports: Ports, since: string, first: number, events: readonly Recorded[]): Promise<void> => {
  const [event] = events;
  const now = ports.now();
  if (event === undefined || ageOf(since, now) <= first) return;
  const sent = await ports.sentAgain(event.id);
  if (sent !== undefined && now - sent < pauseAfter(sent - Date.parse(since), first) && sent <= now) return;
  await ports.publish(events);
  await ports.noteSentAgain(event.id, now);
};

/** As long as it had been late by then. */
const pauseAfter = (lateMs: number, first: number): number => Math.min(Math.max(lateMs, first), LONGEST_MS);
