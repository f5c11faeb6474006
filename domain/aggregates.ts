import type { z } from "zod";
import { deployment } from "./deployment/decider.ts";
import { deploymentEventSchemas, deploymentEventTypes, deploymentUpcasters, readDeploymentEvent } from "./deployment/events.ts";
import { environment } from "./environment/decider.ts";
import { environmentEventSchemas, environmentEventTypes, environmentUpcasters, readEnvironmentEvent } from "./environment/events.ts";
import type { AnyEvent, Recorded } from "./kernel/event.ts";
import { type Category, categories, categoryOf, isOf } from "./kernel/identity.ts";
import type { Upcasters } from "./kernel/upcast.ts";
import { letter } from "./letter/decider.ts";
import { letterEventSchemas, letterEventTypes, letterUpcasters, readLetterEvent } from "./letter/events.ts";
import { person } from "./person/decider.ts";
import { personEventSchemas, personEventTypes, personUpcasters, readPersonEvent } from "./person/events.ts";
import { session } from "./session/decider.ts";
import { readSessionEvent, sessionEventSchemas, sessionEventTypes, sessionUpcasters } from "./session/events.ts";
import { webhook } from "./webhook/decider.ts";
import { readWebhookEvent, webhookEventSchemas, webhookEventTypes, webhookUpcasters } from "./webhook/events.ts";

/**
 * The events of every kind of aggregate: how stored ones are read, and their types. The name of a kind is the category of
 * its streams (`deployment/dep_01J…`). Whatever goes over all kinds goes over this.
 */
const kinds = {
  deployment: { read: readDeploymentEvent, types: deploymentEventTypes },
  environment: { read: readEnvironmentEvent, types: environmentEventTypes },
  webhook: { read: readWebhookEvent, types: webhookEventTypes },
  session: { read: readSessionEvent, types: sessionEventTypes },
  letter: { read: readLetterEvent, types: letterEventTypes },
  person: { read: readPersonEvent, types: personEventTypes },
} as const satisfies Readonly<Record<Category, { read(stored: AnyEvent): AnyEvent; readonly types: readonly string[] }>>;

/** The shapes of every kind's events, and which older versions are still read. */
export const eventSchemas = {
  deployment: { schemas: deploymentEventSchemas, upcasters: deploymentUpcasters },
  environment: { schemas: environmentEventSchemas, upcasters: environmentUpcasters },
  webhook: { schemas: webhookEventSchemas, upcasters: webhookUpcasters },
  session: { schemas: sessionEventSchemas, upcasters: sessionUpcasters },
  letter: { schemas: letterEventSchemas, upcasters: letterUpcasters },
  person: { schemas: personEventSchemas, upcasters: personUpcasters },
} as const satisfies Readonly<Record<Category, unknown>>;

/** The rules of every kind. Apart, so that who only reads events does not carry them. */
export const deciders = { deployment, environment, webhook, session, letter, person } as const satisfies Readonly<
  Record<Category, unknown>
>;

export type EventOf<K extends Category> = ReturnType<(typeof kinds)[K]["read"]>;
export type EngineEvent = EventOf<Category>;

const typesOf = new Map<Category, ReadonlySet<string>>(
  (Object.keys(kinds) as Category[]).map((category) => [category, new Set<string>(kinds[category].types)]),
);

/** The types of all events that this release knows. */
export const eventTypes: ReadonlySet<string> = new Set(Object.values(kinds).flatMap(({ types }): readonly string[] => types));

/** Whether this release knows events of this type; a newer one may write others. */
export const isKnown = (category: Category, type: string): boolean => typesOf.get(category)?.has(type) === true;

/** One recorded event, checked against its kind. Throws `UnknownEvent`. */
export const readEvent = <K extends Category>(category: K, event: Recorded): Recorded<EventOf<K>> =>
  ({ ...event, ...kinds[category].read(event) }) as Recorded<EventOf<K>>;

/** Those events of one stream that this release knows, checked. Throws `UnknownEvent` where one does not have its shape. */
export const readKnown = <K extends Category>(category: K, events: readonly Recorded[]): Recorded<EventOf<K>>[] =>
  events.flatMap((event) => (isKnown(category, event.type) ? [readEvent(category, event)] : []));

/** Whether `readAny` reads it: a newer release may write kinds of streams, types and shapes that this one does not know. */
export const isReadable = ({ stream, type, v, body }: Recorded): boolean => {
  const category = categories.find((one) => isOf(one, stream));
  if (category === undefined || !isKnown(category, type)) return false;
  const { schemas, upcasters }: { schemas: readonly z.ZodType[]; upcasters: Upcasters } = eventSchemas[category];
  return upcasters[type]?.[v] !== undefined || schemas.some((schema) => schema.safeParse({ type, v, body }).success);
};

/** One recorded event of whichever stream, checked. Throws `UnknownEvent`, or an error where no stream is named so. */
export const readAny = (event: Recorded): Recorded<EngineEvent> => readEvent(categoryOf(event.stream), event);
