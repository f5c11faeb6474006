import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import { type Deployment, deployment } from "../../domain/deployment/decider.ts";
import { readDeploymentEvent } from "../../domain/deployment/events.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { type Decider, isRefusal, type Refusal } from "../../domain/kernel/decider.ts";
import type { AnyEvent, Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream, letterStream, sessionStream, webhookStream } from "../../domain/kernel/identity.ts";
import type { LetterCommand } from "../../domain/letter/commands.ts";
import { type LetterState, letter } from "../../domain/letter/decider.ts";
import { readLetterEvent } from "../../domain/letter/events.ts";
import type { SessionCommand } from "../../domain/session/commands.ts";
import { type Session, session } from "../../domain/session/decider.ts";
import { readSessionEvent } from "../../domain/session/events.ts";
import type { WebhookCommand } from "../../domain/webhook/commands.ts";
import { type Webhook, webhook } from "../../domain/webhook/decider.ts";
import { readWebhookEvent } from "../../domain/webhook/events.ts";
import type { Clock } from "../kit/clock.ts";
import { eventsOf } from "./codec.ts";
import { Conflict, type EventStore, type Loaded } from "./event-store.ts";

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

/** load → decide → append, decided again after a conflict. Throws the last `Conflict` when it never got on. */
export const executor = <C, S, E extends AnyEvent>(
  store: Pick<EventStore, "load" | "append">,
  clock: Clock,
  decider: Decider<C, S, E>,
  readEvent: (stored: AnyEvent) => E,
) => {
  const stateOf = (commits: readonly Commit[]): S => {
    let state = decider.initial();
    for (const commit of commits)
      for (const event of JSON.parse(commit.body) as AnyEvent[]) state = decider.evolve(state, readEvent(event));
    return state;
  };

  const once = async (stream: string, command: C, because: Because): Promise<Executed<S>> => {
    const loaded: Loaded = await store.load(stream);
    const state = stateOf(loaded.commits);
    const handled = loaded.commits.find((commit) => commit.cause === because.cause);
    if (handled !== undefined) return { events: eventsOf(handled), state, version: loaded.version };
    const outcome = decider.decide(command, state);
    if (isRefusal(outcome)) return { events: [], refusal: outcome, state, version: loaded.version };
    if (outcome.length === 0) return { events: [], state, version: loaded.version };
    // an event that could not be read again would stop its stream for ever: better no event, and an error now
    for (const event of outcome) readEvent(event);
    const events = await store.append(loaded.head, { ...because, events: outcome, now: clock.now() });
    // what was written for this cause may be another worker's decision: the state follows what is in the log
    return {
      events,
      state: events.reduce((now, { type, v, body }) => decider.evolve(now, readEvent({ type, v, body })), state),
      version: loaded.version + 1,
    };
  };

  return {
    load: async (stream: string): Promise<{ state: S; version: number }> => {
      const { commits, version } = await store.load(stream);
      return { state: stateOf(commits), version };
    },
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

export type Aggregates = ReturnType<typeof aggregates>;

/** All aggregates on one store, asked by their names. */
export const aggregates = (store: EventStore, clock: Clock) => {
  const deployments = executor<DeploymentCommand, Deployment, ReturnType<typeof readDeploymentEvent>>(
    store,
    clock,
    deployment,
    readDeploymentEvent,
  );
  const environments = executor<EnvironmentCommand, Environment, ReturnType<typeof readEnvironmentEvent>>(
    store,
    clock,
    environment,
    readEnvironmentEvent,
  );
  const sessions = executor<SessionCommand, Session, ReturnType<typeof readSessionEvent>>(store, clock, session, readSessionEvent);
  const webhooks = executor<WebhookCommand, Webhook, ReturnType<typeof readWebhookEvent>>(store, clock, webhook, readWebhookEvent);
  const letters = executor<LetterCommand, LetterState, ReturnType<typeof readLetterEvent>>(store, clock, letter, readLetterEvent);
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
  };
};
