import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";

type App = { fetch(request: Request): Response | Promise<Response> };

/** Serves the HTTP API on 127.0.0.1 only. `port` 0 takes a free one. Throws where the port is taken. */
export async function serveApi(app: App, { port }: { port: number }): Promise<{ url: string; close(): Promise<void> }> {
  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port });
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(`Port ${port} is taken. Stop what listens there, or choose another port with --port.`, { cause: error });
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
