import { awsClients } from "../aws/clients.ts";
import { engineConfig } from "./config.ts";
import { type Engine, engine, systemClock } from "./engine.ts";

/**
 * Makes a Lambda handler out of its wiring. The engine is made at the first call: importing a handler reads no
 * environment and opens no connection.
 */
export const onLambda = <E, A>(wire: (engine: Engine) => (event: E) => Promise<A>): ((event: E) => Promise<A>) => {
  let handle: ((event: E) => Promise<A>) | undefined;
  return (event) => {
    handle ??= wire(engine(engineConfig(process.env), awsClients(), systemClock, (line) => console.log(JSON.stringify(line))));
    return handle(event);
  };
};
