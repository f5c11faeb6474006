import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** One request to the local AWS: `DynamoDB.PutItem shiplog-views`, `S3.GET shiplog-archive`, `Trent.GetPublicKey`. */
export type Call = { readonly name: string; readonly path: string; readonly body: string };
/** What a request is answered with in place of the local AWS. */
export type Refusal = { readonly status: number; readonly headers: Record<string, string>; readonly body: string };

/** A way to the local AWS on which every request is seen, and can be kept waiting. */
export type Proxy = Awaited<ReturnType<typeof startProxy>>;

export const startProxy = async (target: string) => {
  const calls: Call[] = [];
  let hold: (call: Call) => Promise<void> | void = () => undefined;
  let refuse: (call: Call) => Refusal | undefined = () => undefined;
  const server = createServer(async (incoming, answer) => {
    try {
      const body = await buffer(incoming);
      const { method, url = "/", headers } = incoming;
      const call = { name: nameOf(incoming, body), path: url, body: body.toString("utf8") };
      calls.push(call);
      await hold(call);
      const refusal = refuse(call);
      if (refusal !== undefined) return void answer.writeHead(refusal.status, refusal.headers).end(refusal.body);
      const onward = request(new URL(url, target), { method, headers, agent: false }, (from) => {
        answer.writeHead(from.statusCode ?? 500, from.headers);
        from.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      onward.end(body);
    } catch {
      answer.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** every request so far, in order */
    calls,
    /** From now on each request waits for this before it goes on. */
    hold: (wait: typeof hold): void => {
      hold = wait;
    },
    /** From now on requests of which this says so are answered by it, and do not go on. */
    refuse: (how: typeof refuse): void => {
      refuse = how;
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
};

const nameOf = ({ method, url = "/", headers }: IncomingMessage, body: Buffer): string => {
  const target = headers["x-amz-target"];
  if (typeof target !== "string") return `${serviceOf(String(headers.authorization))}.${method} ${url.split(/[/?]/)[1]}`;
  const [prefix = "", operation] = target.split(".");
  const input = JSON.parse(body.toString("utf8") || "{}") as { TableName?: string; RequestItems?: object };
  const on = input.TableName ?? Object.keys(input.RequestItems ?? {})[0] ?? "";
  return `${prefix.replace(/(_\d+|Service)$/, "")}.${operation} ${on}`.trim();
};

/** `Credential=AKID/20260101/eu-west-1/s3/aws4_request` → `S3` */
const serviceOf = (authorization: string): string =>
  /Credential=([^,\s]+)/.exec(authorization)?.[1]?.split("/").at(-2)?.toUpperCase() ?? "?";
