import * as z from "zod";

/** What the two servers that run the API tell of a connection: Node's own, and a Lambda Function URL or HTTP API. */
const Bindings = z.union([
  z
    .object({ requestContext: z.object({ http: z.object({ sourceIp: z.string() }) }) })
    .transform(({ requestContext }) => requestContext.http.sourceIp),
  z
    .object({ incoming: z.object({ socket: z.object({ remoteAddress: z.string() }) }) })
    .transform(({ incoming }) => incoming.socket.remoteAddress),
]);

/** The address that a request came from, of the connection itself: a header could say anything. `unknown` where there is none. */
export const addressOf = (bindings: unknown): string => Bindings.safeParse(bindings).data ?? "unknown";
