import { readFileSync } from "node:fs";
import { EngineConfig } from "../../blueprint/engine-config.ts";
import { systemClock } from "../kit/clock.ts";
import type { Base } from "./parts.ts";

export type Parts = Readonly<Record<string, (base: Base) => unknown>>;
/** The engine with these parts. */
export type Made<P extends Parts> = Base & { readonly [K in keyof P]: ReturnType<P[K]> };

/**
 * Makes a Lambda handler out of its wiring and the parts that it needs: no others are in its bundle. They are made at the
 * first call: importing a handler reads no environment and opens no connection.
 */
export const onLambda = <P extends Parts, E, A>(
  parts: P,
  wire: (engine: Made<P>) => (event: E) => Promise<A>,
): ((event: E) => Promise<A>) => {
  let handle: ((event: E) => Promise<A>) | undefined;
  const made = (): Made<P> => {
    // whole lines of JSON, as they are: alarms count figures in them
    const log: Base["log"] = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
    const base: Base = { config: configOf(process.env.SHIPLOG_CONFIG), clock: systemClock, log, clients: {} };
    const own = Object.entries(parts).map(([name, part]) => [name, part(base)]);
    return { ...base, ...Object.fromEntries(own) } as Made<P>;
  };
  return (event) => {
    handle ??= wire(made());
    return handle(event);
  };
};

/**
 * The JSON document that the infrastructure wrote, read once a cold start: another document is another file, and Lambda
 * then begins anew.
 *
 * @param file SHIPLOG_CONFIG
 */
const configOf = (file: string | undefined): EngineConfig => {
  if (file === undefined) throw new Error("SHIPLOG_CONFIG is not set: this function must be deployed by Shiplog's own infrastructure.");
  return EngineConfig.parse(JSON.parse(readFileSync(file, "utf8")));
};
