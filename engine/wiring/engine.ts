import type { EngineConfig } from "../../blueprint/engine-config.ts";
import type { Clients } from "../aws/clients.ts";
import type { Clock } from "../kit/clock.ts";
import * as parts from "./parts.ts";

const { projectOf: _, ...all } = parts;
type Parts = typeof all;

/** Everything that the consumers are wired from: one place that knows both the ports' owners and AWS. */
export type Engine = Omit<parts.Base, "clients"> & { readonly clients: Clients } & {
  readonly [K in keyof Parts]: ReturnType<Parts[K]>;
};

/** The engine with all of its parts, as one process has it that runs every consumer. */
export const engine = (config: EngineConfig, clients: Clients, clock: Clock, log: parts.Base["log"]): Engine => {
  const base = { config, clients, clock, log };
  const made = Object.entries(all).map(([name, part]) => [name, part(base)]);
  return { ...base, ...(Object.fromEntries(made) as { [K in keyof Parts]: ReturnType<Parts[K]> }) };
};

export { systemClock } from "../kit/clock.ts";
