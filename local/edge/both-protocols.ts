import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** The first byte of a TLS handshake; no HTTP request begins with it. */
const TLS_HANDSHAKE = 0x16;

/** Longer than the pools of common clients keep a connection, so that they never write to one that is being closed. */
const KEEP_ALIVE_MS = 120_000;

/**
 * Serves http and https on one port of 127.0.0.1 and tells them apart by a connection's first byte.
 * OpenNext's revalidation function knows a site only by the host (and port) that a request named, and asks it over https.
 */
export async function listenBoth(
  port: number,
  tls: { cert: string; key: string },
  onRequest: RequestListener,
): Promise<{ port: number; close(): Promise<void> }> {
  const http = createHttpServer({ keepAliveTimeout: KEEP_ALIVE_MS }, onRequest);
  const https = createHttpsServer({ ...tls, keepAliveTimeout: KEEP_ALIVE_MS }, onRequest);
  const open = new Set<Socket>();

  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    // A client may go away at any moment, also before its first byte.
    socket.on("error", () => socket.destroy());
    socket.once("data", (first) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === TLS_HANDSHAKE ? https : http).emit("connection", socket);
      process.nextTick(() => socket.resume());
    });
  });

  await new Promise<void>((ready, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", ready);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of open) socket.destroy();
      }),
  };
}
