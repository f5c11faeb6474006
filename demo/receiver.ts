import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** One request as it came in. */
export type Received = { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type Receiver = {
  /** An address of its own, with a part that nobody can guess, as a webhook of Slack has. */
  address(name: string): { readonly url: string; readonly path: string };
  close(): Promise<void>;
};

/** A server on this machine that takes webhooks as anybody's would: it answers `ok` and hands on what came. */
export const startReceiver = async (take: (received: Received) => void): Promise<Receiver> => {
  const server = createServer(async (request, response) => {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    take({ path: request.url ?? "", headers, body: await text(request) });
    response.end("ok");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: (name) => {
      const path = `/${name}/${randomBytes(18).toString("base64url")}`;
      return { url: `http://127.0.0.1:${port}${path}`, path };
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
