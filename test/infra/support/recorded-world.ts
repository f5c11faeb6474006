import type { Clients } from "../../../engine/aws/clients.ts";
import { type PartsWorld, startPartsWorld } from "../../support/parts-world.ts";

/** One call that a function of the engine made of AWS. */
export type Call = { readonly by: string; readonly client: string; readonly command: string; readonly input: Record<string, unknown> };

/** The engine with one environment `web/production`; every call of AWS is written down with the function that made it. */
export const startRecordedWorld = async (): Promise<PartsWorld & { readonly calls: Call[] }> => {
  const calls: Call[] = [];
  const world = await startPartsWorld({
    environments: ["production"],
    variables: { API_URL: "https://api.example.com" },
    prepare: (by, clients) => record(clients, (call) => calls.push({ by, ...call })),
  });
  await world.start();
  return { ...world, calls };
};

type Said = Omit<Call, "by">;
type Middleware = (next: (args: { input: object }) => Promise<unknown>, context: { clientName?: string; commandName?: string }) => unknown;

/** Waiters and paginators end in ordinary commands, so that this sees each of them. */
const record = (clients: Clients, say: (call: Said) => void): void => {
  const watch: Middleware =
    (next, { clientName = "", commandName = "" }) =>
    (args: { input: object }) => {
      say({ client: clientName, command: commandName, input: args.input as Record<string, unknown> });
      return next(args);
    };
  for (const client of Object.values(clients))
    if (typeof client === "object")
      (client as { middlewareStack: { add(middleware: Middleware, options: object): void } }).middlewareStack.add(watch, {
        step: "initialize",
        name: "record",
      });
};
