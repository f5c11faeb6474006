import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { type Behavior, takesEveryMethod } from "../../blueprint/edge-behaviors.ts";
import { sendFlow } from "../flow.ts";
import { foreignHost } from "../loopback.ts";
import { type Answer, isOfEdge, page, type Release } from "./answer.ts";
import { openAnswerCache } from "./answer-cache.ts";
import { behaviorOf } from "./behavior.ts";
import { listenBoth } from "./both-protocols.ts";
import { answerSource, loadCookies } from "./bucket-cookie.ts";
import { chosenRelease } from "./chosen-route.ts";
import { PAYLOAD_LIMIT } from "./function-event.ts";
import { keptReplies, type Served } from "./kept-replies.ts";
import { askFiles, askFunction, type Call, failure, type Origins, TOO_LARGE } from "./origins.ts";
import { REQUEST_ID, report } from "./report.ts";
import { loadRouter, type Routed, RouterFailed, routerSource } from "./router-runtime.ts";
import { asRouted, routerEvent, viewerRequest } from "./viewer-request.ts";

export type Edge = {
  url: string;
  port: number;
  /** Forgets what it keeps of these paths, with CloudFront's wildcards (`/*`); a path with a query is another than the one without. */
  invalidate(paths: readonly string[]): void;
  close(): Promise<void>;
};

export type EdgeOptions = Origins & {
  /** On 127.0.0.1 only. Default 0: any free port. */
  readonly port?: number;
  readonly certificate: { cert: string; key: string };
  /** The id that the table's keys name. */
  readonly distribution: string;
  /** In the order in which they are tried. */
  readonly behaviors: readonly Behavior[];
  /** A row of the table as it was at a moment, in milliseconds since 1970. What it throws is to the router what CloudFront throws. */
  readonly table: { get(key: string, at: number): Promise<string | undefined> | string | undefined };
  /** How long ago a point of presence's rows are from. 0: it sees a flip at once. */
  readonly tableDelayMs: number;
  /** What is live by its alias; undefined before the first release. It is told where the table says nothing. */
  live(): Release | undefined;
  /** The source of the function that runs on each request of a visitor. Default `blueprint/edge-router.js`. */
  readonly router?: string;
  /** Bytes of the answers that are kept. Default 64 MB. */
  readonly keptMax?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

type Answered = { readonly answer: Answer; readonly release: Release | undefined };

/**
 * The local CloudFront of one environment: the router says which release answers a request, and the edge keeps what may be
 * kept, as CloudFront does it, so that a test sees what visitors would.
 *
 * Every answer names the release it came from. `x-shiplog-deployment`: for a function the release whose alias was really
 * executed; for a file, and for what was kept, the one that the router chose. `x-shiplog-sequence`: that of the row which the
 * router went by; without one, of the alias.
 *
 * It answers for names of this machine alone. Any `Origin` may ask: a site's own pages send theirs with every form.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const now = options.now ?? Date.now;
  const route = loadRouter(options.router ?? routerSource());
  const cookiesFor = loadCookies(answerSource());
  const behaviorFor = behaviorOf(options.behaviors);
  const cache = openAnswerCache({ bytesMax: options.keptMax ?? 64 * 1_024 * 1_024, now });
  const serve = keptReplies(cache);

  async function answer(request: IncomingMessage, requestId: string): Promise<Answered> {
    const foreign = foreignHost(request.headers.host);
    if (foreign !== undefined) return { answer: notThisSite(foreign), release: undefined };
    if (request.headers.upgrade?.toLowerCase() === "websocket") return { answer: NO_WEBSOCKETS, release: options.live() };
    const asked = viewerRequest(request);
    const ip = request.socket.remoteAddress ?? "127.0.0.1";
    const event = routerEvent(asked, { distribution: options.distribution, requestId, ip });
    const routed = await route(event, (key) => options.table.get(key, now() - options.tableDelayMs));
    const chosen = chosenRelease(routed);
    const live = chosen === undefined ? options.live() : undefined;
    const says = chosen ?? live;
    if (says === undefined) return { answer: NOTHING_LIVE, release: undefined };
    const behavior = behaviorFor(asked.path);
    if (!takesEveryMethod(behavior) && asked.method !== "GET" && asked.method !== "HEAD") return { answer: READ_ONLY, release: says };
    const body = await readBody(request);
    if (body === undefined) return { answer: TOO_LARGE, release: says };
    const connection = { secure: request.socket instanceof TLSSocket, ip, httpVersion: request.httpVersion };
    const call = { requestId, request: asRouted(asked, event, routed.request), body, connection };
    const served = await serve(behavior.cacheKey, call, (one) => askOrigin(options, behavior, routed.origin, one));
    const cookies = cookiesFor(routed.request, served.answer.status);
    return { answer: withCookies(served.answer, cookies), release: releaseOf(served, chosen, says) };
  }

  async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    // A client that goes away in the middle is no failure of the edge's.
    response.on("error", () => {});
    let answered: Answered;
    try {
      answered = await answer(request, requestId);
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      report(requestId, `could not answer ${request.method} ${request.url}`, error);
      // Which release would have answered is not known.
      answered = { answer: error instanceof RouterFailed ? routerFailure(requestId) : failure(requestId), release: undefined };
    }
    try {
      const brokenOff = await send(request, response, answered);
      if (brokenOff) report(requestId, `the answer to ${request.method} ${request.url} broke off`, brokenOff);
    } catch (error) {
      report(requestId, `${request.method} ${request.url} was answered with what HTTP cannot carry`, error);
      if (!Buffer.isBuffer(answered.answer.body)) answered.answer.body.destroy();
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      await send(request, response, { answer: failure(requestId), release: answered.release });
    }
  }

  const server = await listenBoth(options.port ?? 0, options.certificate, (request, response) => void onRequest(request, response));
  return { url: `http://127.0.0.1:${server.port}`, ...server, invalidate: cache.invalidate };
}

/**
 * The origin that the router chose, or else that of the behaviour. An address is the first label of a function's host; what is said
 * to functions belongs to the behaviour's origin, and that of files has nothing to say.
 */
const askOrigin = (origins: Origins, behavior: Behavior, chosen: Routed["origin"], call: Call) => {
  if (chosen !== undefined && "domainName" in chosen) {
    const originKeys = behavior.origin === "files" ? [] : (origins.originKeys ?? []);
    return askFunction({ ...origins, originKeys }, { address: chosen.domainName.split(".", 1)[0] ?? "" }, call);
  }
  const origin = chosen?.originId ?? behavior.origin;
  if (origin === "files") return askFiles(origins, call, chosen === undefined);
  if (behavior.origin !== "files" && chosen === undefined) return askFunction(origins, { role: behavior.origin }, call);
  throw new RouterFailed(`The router chose the origin "${origin}", which this edge does not have.`);
};

const withCookies = (answer: Answer, cookies: readonly string[]): Answer => ({
  ...answer,
  headers: [...answer.headers, ...cookies.map((one) => ["set-cookie", one] as const)],
});

/** Which release an answer is named after. Nobody knows it of what Lambda itself answered. */
const releaseOf = ({ release, isStored }: Served, chosen: Release | undefined, says: Release): Release | undefined => {
  if (isStored) return chosen ?? release ?? says;
  return release && { deploymentId: release.deploymentId, sequence: chosen?.sequence ?? release.sequence };
};

const NOTHING_LIVE = page(503, "Nothing is live here yet", "Deploy the first release with: shiplog deploy", [["retry-after", "5"]]);
/** As CloudFront, which answers for the names of its distribution alone. */
const notThisSite = (why: string): Answer => page(403, "This is not the site's name", why);
const NO_WEBSOCKETS = page(
  501,
  "No WebSockets here",
  "A Lambda function answers one request at a time. Use a WebSocket service beside the site.",
);
const READ_ONLY = page(405, "This is a file", "Files can be read only, with GET or HEAD.", [["allow", "GET, HEAD"]]);
/** CloudFront says no more of it either. */
const routerFailure = (requestId: string): Answer =>
  page(503, "The edge could not answer", `The log of the development server has the reason under request ${requestId}.`, [
    ["x-cache", "FunctionExecutionError from cloudfront"],
    [REQUEST_ID, requestId],
  ]);

/** Reads a request's body; undefined when it is larger than a function may be given. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // What is over the limit is read and dropped: a client that is still writing would not see the answer.
    if (size <= PAYLOAD_LIMIT) chunks.push(chunk);
  }
  return size > PAYLOAD_LIMIT ? undefined : Buffer.concat(chunks, size);
}

/** @returns why the body broke off, where it did */
async function send(request: IncomingMessage, response: ServerResponse, { answer, release }: Answered): Promise<Error | undefined> {
  const { status, headers, body } = answer;
  const bodiless = status === 204 || status === 304;
  response.statusCode = status;
  for (const [name, value] of headers) if (!isOfEdge(name) || name === REQUEST_ID) response.appendHeader(name, value);
  if (release) {
    response.setHeader("x-shiplog-deployment", release.deploymentId);
    response.setHeader("x-shiplog-sequence", String(release.sequence));
  }
  // A body that nobody reads would stay in the connection and be taken for the next request.
  if (!request.complete) request.resume();
  const silent = bodiless || request.method === "HEAD";
  if (!Buffer.isBuffer(body) && !silent) return sendFlow(body, response);
  if (!Buffer.isBuffer(body)) body.destroy();
  else if (!bodiless) response.setHeader("content-length", String(body.length));
  response.end(silent ? undefined : body);
  return undefined;
}
