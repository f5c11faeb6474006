import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { foreignRequest } from "../loopback.ts";

/** What one execution environment says through the Runtime API. */
export type RuntimeClient = {
  /** It is idle and waits on `response` for its next invocation. */
  next(response: ServerResponse): void;
  succeeded(requestId: string, result: Buffer): void;
  /** It has begun to answer, and goes on for as long as the request does. */
  streams(requestId: string, request: IncomingMessage): void;
  failed(requestId: string, error: Buffer): void;
  initFailed(error: Buffer): void;
};

/** The Lambda Runtime API, on 127.0.0.1 and a free port. Each environment has an address of its own, which nobody can guess. */
export type RuntimeApi = {
  /** Admits an environment; the result is its AWS_LAMBDA_RUNTIME_API. */
  admit(token: string, client: RuntimeClient): string;
  forget(token: string): void;
  close(): Promise<void>;
};

const ROUTE = /^\/([0-9a-f]+)\/2018-06-01\/runtime\/(?:(init)\/error|invocation\/(next|([^/]+)\/(response|error)))$/;

export const startRuntimeApi = async (): Promise<RuntimeApi> => {
  const clients = new Map<string, RuntimeClient>();

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, token = "", init, step, requestId = "", end] = ROUTE.exec(request.url ?? "") ?? [];
    if (foreignRequest(request.headers) !== undefined) return void response.writeHead(403).end();
    const client = clients.get(token);
    if (!client) return void response.writeHead(404).end();
    if (step === "next") return client.next(response);
    if (end === "response" && request.headers["lambda-runtime-function-response-mode"] === "streaming") {
      client.streams(requestId, request);
      await finished(request);
      return void response.writeHead(202, { "content-length": 0 }).end();
    }
    const body = await buffer(request);
    // Answered first: the environment asks for its next invocation while the caller gets the result of this one.
    response.writeHead(202, { "content-length": 0 }).end();
    if (init) client.initFailed(body);
    else if (end === "error") client.failed(requestId, body);
    else client.succeeded(requestId, body);
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 0; // an environment keeps its one connection for as long as it lives
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    admit(token, client) {
      clients.set(token, client);
      return `127.0.0.1:${port}/${token}`;
    },
    forget: (token) => void clients.delete(token),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
};
