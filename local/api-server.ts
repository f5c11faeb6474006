import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { problemBody } from "../services/api/problem.ts";
import { type Executions, openConcurrency } from "./lambda/concurrency.ts";
import { TooManyRequests } from "./lambda/refusals.ts";
import { foreignHost } from "./loopback.ts";

type App = { fetch(request: Request, env?: object): Response | Promise<Response> };

/** The port that the API was to have cannot be had. */
export class PortTaken extends Error {
  override readonly name = "PortTaken";
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken. Stop what listens there, or choose another one",
  EACCES: "may not be used by this user. Choose one above 1023",
};

type Options = {
  readonly port: number;
  /** of the account, in which each request is one; default no limit */
  readonly invocations?: Pick<Executions, "begin">;
};

/**
 * Serves the HTTP API on 127.0.0.1 only, and for names of this machine only, as API Gateway answers for its own names
 * alone. `port` 0 takes a free one. Throws `PortTaken`.
 */
export async function serveApi(
  app: App,
  { port, invocations = openConcurrency(Number.POSITIVE_INFINITY) }: Options,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = serve({ fetch: forThisMachine(asInvocations(app, invocations)), hostname: "127.0.0.1", port });
  try {
    await once(server, "listening");
  } catch (error) {
    const why = WHY[(error as NodeJS.ErrnoException).code ?? ""];
    if (why === undefined) throw error;
    throw new PortTaken(`port ${port} ${why} with --port`, { cause: error });
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}

const forThisMachine =
  (app: App) =>
  (request: Request, env: object): Response | Promise<Response> => {
    const why = foreignHost(request.headers.get("host") ?? undefined);
    if (why === undefined) return app.fetch(request, env);
    return Response.json(problemBody({ code: "host.unknown", message: why, candidates: undefined }), { status: 403 });
  };

/** API Gateway answers 503 where Lambda throttles the function behind it. */
const asInvocations = (app: App, { begin }: Pick<Executions, "begin">): App => ({
  fetch: async (request, env) => {
    try {
      const end = begin();
      return await Promise.resolve(app.fetch(request, env)).finally(end);
    } catch (error) {
      if (error instanceof TooManyRequests) return Response.json({ message: "Service Unavailable" }, { status: 503 });
      throw error;
    }
  },
});
