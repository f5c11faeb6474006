import { engineConfig } from "../../blueprint/engine-config.ts";
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
    const base: Base = { config: engineConfig(process.env), clock: systemClock, log, clients: {} };
    const own = Object.entries(parts).map(([name, part]) => [name, part(base)]);
    return { ...base, ...Object.fromEntries(own) } as Made<P>;
  };
  return (event) => {
    handle ??= wire(made());
    return handle(event);
  };
};
