import * as z from "zod";
import { type DeploymentEvent, readDeploymentEvent } from "../../domain/deployment/events.ts";
import { type EnvironmentEvent, readEnvironmentEvent } from "../../domain/environment/events.ts";
import { type AnyEvent, type Recorded, RecordedEnvelope } from "../../domain/kernel/event.ts";
import { readWebhookEvent, type WebhookEvent } from "../../domain/webhook/events.ts";

export type EngineEvent = DeploymentEvent | EnvironmentEvent | WebhookEvent;

const Envelope = z.object({ detail: RecordedEnvelope });

/** An event of the engine's own bus out of a queue's message, checked to its body. Throws what a person can read. */
export const readRecorded = (body: string): Recorded<EngineEvent> => {
  const { detail } = Envelope.parse(JSON.parse(body));
  const stored = { type: detail.type, v: detail.v, body: detail.body };
  return { ...detail, ...readerOf(detail.stream)(stored) } as Recorded<EngineEvent>;
};

const readerOf = (stream: string): ((stored: AnyEvent) => EngineEvent) => {
  if (stream.startsWith("deployment/")) return readDeploymentEvent;
  return stream.startsWith("webhook/") ? readWebhookEvent : readEnvironmentEvent;
};

/** Which stream a message is about, for consumers that read the rest from the store. */
export const readNudge = (body: string): { stream: string; version: number } => {
  const { detail } = Envelope.parse(JSON.parse(body));
  return { stream: detail.stream, version: detail.version };
};

/** A consumer got an event that its rule does not send: the rule and the code do not belong together. */
export const unexpected = (event: { type: string }): Error =>
  new Error(`nothing is to be done here for ${event.type}: is the rule older than the code?`);
