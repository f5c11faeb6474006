import { z } from "zod";
import { type DeploymentEvent, readDeploymentEvent } from "../../domain/deployment/events.ts";
import { type EnvironmentEvent, readEnvironmentEvent } from "../../domain/environment/events.ts";
import { type Recorded, RecordedEnvelope } from "../../domain/kernel/event.ts";

const Envelope = z.object({ detail: RecordedEnvelope });

/** An event of the engine's own bus out of a queue's message, checked to its body. Throws what a person can read. */
export const readRecorded = (body: string): Recorded<DeploymentEvent | EnvironmentEvent> => {
  const { detail } = Envelope.parse(JSON.parse(body));
  const stored = { type: detail.type, v: detail.v, body: detail.body };
  const event = detail.stream.startsWith("deployment/") ? readDeploymentEvent(stored) : readEnvironmentEvent(stored);
  return { ...detail, ...event } as Recorded<DeploymentEvent | EnvironmentEvent>;
};

/** Which stream a message is about, for consumers that read the rest from the store. */
export const readNudge = (body: string): { stream: string; version: number } => {
  const { detail } = Envelope.parse(JSON.parse(body));
  return { stream: detail.stream, version: detail.version };
};

/** A consumer got an event that its rule does not send: the rule and the code do not belong together. */
export const unexpected = (event: { type: string }): Error =>
  new Error(`nothing is to be done here for ${event.type}: is the rule older than the code?`);
