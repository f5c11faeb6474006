import type { Subscribed } from "../../blueprint/topology.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { siteOf } from "../../domain/kernel/identity.ts";
import { type Aggregates, type Because, following } from "../../engine/log/execute.ts";
import { type AliasLog, aliasLog } from "./alias-log.ts";

const ACTOR = "shiplog flip-alias";
type FlipRequested = Subscribed<"flip-alias">;

/** A flip as its steps see it: what was asked for, and the log of its environment. */
export type Flip = FlipRequested["body"] & {
  /** the environment's stream */
  readonly place: string;
  readonly site: string;
  readonly environment: string;
  readonly log: AliasLog;
  /** the environment as it is now */
  now(): Promise<Environment>;
  record(command: EnvironmentCommand, suffix: string): Promise<unknown>;
  because(suffix: string): Because;
};

export const flipOf = (aggregates: Aggregates, event: Recorded<FlipRequested>): Flip => {
  const { site, environment } = siteOf(event.stream);
  const because = (suffix: string): Because => following(event, ACTOR, suffix);
  return {
    ...event.body,
    place: event.stream,
    site,
    environment,
    log: aliasLog(aggregates, event, ACTOR),
    now: async () => (await aggregates.environment.load(site, environment)).state,
    record: (command, suffix) => aggregates.environment.execute(site, environment, command, because(suffix)),
    because,
  };
};
