import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import { deployment } from "../../domain/deployment/decider.ts";
import { readDeploymentEvent } from "../../domain/deployment/events.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import { type Decider, isRefusal, type Refusal } from "../../domain/kernel/decider.ts";
import type { AnyEvent, Recorded } from "../../domain/kernel/event.ts";
import {
  type Category,
  deploymentStream,
  environmentStream,
  letterStream,
  personStream,
  sessionStream,
  webhookStream,
} from "../../domain/kernel/identity.ts";
import type { LetterCommand } from "../../domain/letter/commands.ts";
import { letter } from "../../domain/letter/decider.ts";
import { readLetterEvent } from "../../domain/letter/events.ts";
import type { PersonCommand } from "../../domain/person/commands.ts";
import { person } from "../../domain/person/decider.ts";
import { readPersonEvent } from "../../domain/person/events.ts";
import type { SessionCommand } from "../../domain/session/commands.ts";
import { session } from "../../domain/session/decider.ts";
import { readSessionEvent } from "../../domain/session/events.ts";
import type { WebhookCommand } from "../../domain/webhook/commands.ts";
import { webhook } from "../../domain/webhook/decider.ts";
import { readWebhookEvent } from "../../domain/webhook/events.ts";
import type { Clock } from "../kit/clock.ts";
import { reasonOf } from "../kit/consumer.ts";
import { eventsOf } from "./codec.ts";
import { Conflict, type EventStore } from "./event-store.ts";
import { type Folded, foldedStreams } from "./folded-streams.ts";
import type { Memory } from "./memory.ts";
import type { Snapshots } from "./snapshots.ts";

/** Why a command is given: it makes a repeated command write nothing new. */
export type Because = {
  /** id of the event or command; with a suffix where one event leads to several commands for the same stream */
  readonly cause: string;
  readonly causePosition?: string | undefined;
  readonly correlation: string;
  readonly actor: string;
  readonly origin?: string | undefined;
};

/** The reason that a consumer gives: it follows from this event. */
export const following = (event: Recorded, actor: string, suffix = ""): Because => ({
  cause: event.id + suffix,
  causePosition: event.position,
  correlation: event.correlation,
  actor,
});

export type Executed<S> = {
  /** what this cause wrote, now or earlier; empty where it was already so */
  readonly events: readonly Recorded[];
  readonly refusal?: Refusal;
  /** the state after it */
  readonly state: S;
  readonly version: number;
};

/** Fifty writers of one stream at once needed ten; each try means that somebody else got on. */
const MAX_TRIES = 24;

/** Commits between two snapshots of a stream: one load reads half of them on average. */
export const SNAPSHOT_EVERY = 32;

/** What the execution of commands stands on. */
export type Ground = {
  readonly store: Pick<EventStore, "read" | "readBack" | "readFrom" | "headAfter" | "write">;
  readonly snapshots: Snapshots;
  /** commits of a stream between two snapshots */
  readonly every: number;
  /** what this process remembers of the streams of one category */
  memoryOf(category: Category): Memory<Folded<unknown>>;
  readonly clock: Clock;
  log(line: Readonly<Record<string, unknown>>): void;
};

/** load → decide → append, decided again after a conflict. Throws the last `Conflict` when it never got on. */
export const executor = <C, S, E extends AnyEvent>(
  ground: Ground,
  category: Category,
  decider: Decider<C, S, E>,
  readEvent: (stored: AnyEvent) => E,
) => {
  const { store, memoryOf, clock, log } = ground;
  const streams = foldedStreams(store, ground, memoryOf(category) as Memory<Folded<S>>, decider, readEvent);

  const once = async (stream: string, command: C, because: Because): Promise<Executed<S>> => {
    const { folded, handled } = await streams.loadFor(stream, because.cause);
    const { state, version } = folded;
    if (handled !== undefined) return { events: eventsOf(handled), state, version };
    const outcome = decider.decide(command, state);
    if (isRefusal(outcome)) return { events: [], refusal: outcome, state, version };
    if (outcome.length === 0) return { events: [], state, version };
    // an event that could not be read again would stop its stream for ever: better no event, and an error now
    for (const event of outcome) readEvent(event);
    const commit = await store.write(store.headAfter(folded.last ?? stream), { ...because, events: outcome, now: clock.now() });
    // what was written for this cause may be another worker's decision: the state follows what is in the log
    const now = streams.appended(stream, folded, commit);
    await streams.save(stream, now).catch((error: unknown) => log(unsaved(stream, error)));
    return { events: eventsOf(commit), state: now.state, version: now.version };
  };

  return {
    load: async (stream: string): Promise<{ state: S; version: number }> => streams.load(stream),
    execute: async (stream: string, command: C, because: Because): Promise<Executed<S>> => {
      for (let tries = 1; ; tries++) {
        try {
          return await once(stream, command, because);
        } catch (error) {
          if (!(error instanceof Conflict) || tries === MAX_TRIES) throw error;
          await clock.sleep(clock.random() * 2 ** Math.min(tries, 6) * 5);
        }
      }
    },
  };
};

/** What was decided stands: the next decision writes the snapshot. */
const unsaved = (stream: string, error: unknown): Readonly<Record<string, unknown>> => ({
  level: "warn",
  message: "a snapshot could not be written; the next decision of the stream writes it",
  stream,
  reason: reasonOf(error),
});

export type Aggregates = ReturnType<typeof aggregates>;

/** All aggregates on one store, asked by their names. */
export const aggregates = (ground: Ground) => {
  const deployments = executor(ground, "deployment", deployment, readDeploymentEvent);
  const environments = executor(ground, "environment", environment, readEnvironmentEvent);
  const sessions = executor(ground, "session", session, readSessionEvent);
  const webhooks = executor(ground, "webhook", webhook, readWebhookEvent);
  const letters = executor(ground, "letter", letter, readLetterEvent);
  const people = executor(ground, "person", person, readPersonEvent);
  return {
    deployment: {
      load: (id: string) => deployments.load(deploymentStream(id)),
      execute: (id: string, command: DeploymentCommand, because: Because) => deployments.execute(deploymentStream(id), command, because),
    },
    environment: {
      load: (site: string, name: string) => environments.load(environmentStream(site, name)),
      execute: (site: string, name: string, command: EnvironmentCommand, because: Because) =>
        environments.execute(environmentStream(site, name), command, because),
    },
    webhook: {
      load: (id: string) => webhooks.load(webhookStream(id)),
      execute: (id: string, command: WebhookCommand, because: Because) => webhooks.execute(webhookStream(id), command, because),
    },
    session: {
      load: (id: string) => sessions.load(sessionStream(id)),
      execute: (id: string, command: SessionCommand, because: Because) => sessions.execute(sessionStream(id), command, because),
    },
    letter: {
      load: (id: string) => letters.load(letterStream(id)),
      execute: (id: string, command: LetterCommand, because: Because) => letters.execute(letterStream(id), command, because),
    },
    person: {
      load: (id: string) => people.load(personStream(id)),
      execute: (id: string, command: PersonCommand, because: Because) => people.execute(personStream(id), command, because),
    },
  };
};
