import * as z from "zod";
import { type EngineEvent, readAny } from "../../domain/aggregates.ts";
import { type Recorded, RecordedEnvelope } from "../../domain/kernel/event.ts";

const Envelope = z.object({ detail: RecordedEnvelope });

/** An event of the engine's own bus out of a queue's message, checked to its body. Throws what a person can read. */
export const readRecorded = (body: string): Recorded<EngineEvent> => readAny(Envelope.parse(JSON.parse(body)).detail);

/** An event as a message of the engine's own bus, as far as its reader looks. */
export const messageOf = (event: Recorded): string => JSON.stringify({ detail: event });

/** Which stream a message is about, for consumers that read the rest from the store. */
export const readNudge = (body: string): { stream: string; version: number } => {
  const { detail } = Envelope.parse(JSON.parse(body));
  return { stream: detail.stream, version: detail.version };
};
