import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { TLSSocket } from "node:tls";
import { ORIGIN_HEADER } from "../../blueprint/site-resources.ts";
import type { FunctionRole } from "../../domain/deployment/shapes.ts";
import { sendFlow } from "../flow.ts";
import type { AwsResponse } from "../http.ts";
import { foreignHost } from "../loopback.ts";
import { type Answer, isOfEdge, page, type Release, releaseIn } from "./answer.ts";
import { type Behavior, router } from "./behaviors.ts";
import { listenBoth } from "./both-protocols.ts";
import { type Found, fileAnswer } from "./file-answer.ts";
import { type Asked, functionEvent, PAYLOAD_LIMIT, splitTarget } from "./function-event.ts";
import { answerOf, streamedAnswerOf } from "./function-result.ts";

export type Edge = { url: string; port: number; close(): Promise<void> };

export type EdgeOptions = {
  /** On 127.0.0.1 only. Default 0: any free port. */
  port?: number;
  /** What is live at this moment: one atomic read of the server function's alias. Undefined before the first release. */
  live(): Release | undefined;
  /** The routing table of a deployment's release. It never changes, so the edge keeps it by deployment. */
  manifest(deploymentId: string): Promise<{ behaviors: Behavior[] } | undefined>;
  /**
   * Invokes the alias `live` of a role's function with a Function URL event (format 2.0).
   * `description` is that of the alias as it was executed (`seq=7 dep=dep_01J…`); `functionError` as Lambda's header of that name.
   * `payload` is what the function returned, `body` what it streams; `status` is there where Lambda itself answered, since
   * there is no room for another invocation.
   */
  invoke(
    role: FunctionRole,
    event: object,
  ): Promise<
    (({ payload: Buffer; functionError?: string } | { contentType: string; body: Readable }) & { description: string }) | AwsResponse
  >;
  /** An object below the environment's `_assets` prefix, by its decoded key: 200, 206 or 416; undefined when there is none. */
  asset(key: string, range: string | undefined): Promise<Found | undefined>;
  certificate: { cert: string; key: string };
  /** what it says to functions with each request, so that they know it; nothing by default */
  originKeys?: readonly string[];
};

type Answered = { answer: Answer; release: Release | undefined };

/**
 * The local CloudFront of one environment: sends each request where the live release's behaviours say.
 *
 * Every answer names the release it came from, in `x-shiplog-deployment` and `x-shiplog-sequence`: for a function the release
 * whose alias was really executed, for a public file the one that was live when the request came.
 *
 * It answers for names of this machine alone. Any `Origin` may ask: a site's own pages send theirs with every form.
 *
 * It keeps no HTML. Pages carry `s-maxage` of up to a year, so a CDN that keeps them goes on serving the old release until
 * its invalidation is through, minutes after the flip; here a flip is seen by the next request, so that a test may demand
 * that no answer after a recorded flip comes from the release before.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const routerOf = rememberRouters(options.manifest);

  async function answer(request: IncomingMessage, requestId: string): Promise<Answered> {
    const foreign = foreignHost(request.headers.host);
    if (foreign !== undefined) return { answer: notThisSite(foreign), release: undefined };
    const live = options.live();
    if (!live) return { answer: NOTHING_LIVE, release: undefined };
    if (request.headers.upgrade?.toLowerCase() === "websocket") return { answer: NO_WEBSOCKETS, release: live };
    const { path } = splitTarget(request.url ?? "/");
    const origin = (await routerOf(live.deploymentId))(path);
    const file = origin === "s3" ? await fromAssets(request, path) : undefined;
    if (file !== undefined) return { answer: file, release: live };
    // of a file that is not there the app says so; as on the CDN it hears the path and the host, and nothing else of the visitor
    if (origin === "s3")
      return fromFunction("server", { ...askedBy(request), url: path, headers: hostOf(request) }, request, requestId, live);
    return fromFunction(roleOf(origin), askedBy(request), request, requestId, live);
  }

  /** `undefined` where there is no such file. */
  async function fromAssets(request: IncomingMessage, path: string): Promise<Answer | undefined> {
    if (request.method !== "GET" && request.method !== "HEAD") return READ_ONLY;
    const key = assetKey(path);
    if (key === undefined) return BAD_PATH;
    const found = await options.asset(key, request.headers.range);
    return found && fileAnswer(found, request.headers);
  }

  async function fromFunction(
    role: FunctionRole,
    asked: Asked,
    request: IncomingMessage,
    requestId: string,
    live: Release,
  ): Promise<Answered> {
    const body = await readBody(request);
    if (!body) return { answer: TOO_LARGE, release: live };
    const event = functionEvent(asked, body, request.socket instanceof TLSSocket, requestId, Date.now());
    for (const name of Object.keys(event.headers)) if (isOfEdge(name)) delete event.headers[name];
    if (options.originKeys !== undefined && options.originKeys.length > 0) event.headers[ORIGIN_HEADER] = options.originKeys.join(",");
    if ((event.body?.length ?? 0) > PAYLOAD_LIMIT) return { answer: TOO_LARGE, release: live };
    const invoked = await options.invoke(role, event);
    if ("status" in invoked) return { answer: originAnswer(invoked), release: undefined };
    const { description } = invoked;
    const release = releaseIn(description);
    if ("payload" in invoked && invoked.functionError !== undefined) {
      const { payload, functionError } = invoked;
      report(requestId, `${role} of ${description} failed (${functionError})`, payload.toString("utf8").slice(0, 4000));
    } else {
      try {
        const answer = "body" in invoked ? await streamedAnswerOf(invoked.contentType, invoked.body) : answerOf(invoked.payload);
        return { answer, release };
      } catch (error) {
        report(requestId, `${role} of ${description} gave no answer of HTTP`, error);
      }
    }
    return { answer: failure(requestId), release };
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
      answered = { answer: failure(requestId), release: undefined };
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
  return { url: `http://127.0.0.1:${server.port}`, ...server };
}

const askedBy = ({ url, method, headers, httpVersion, socket }: IncomingMessage): Asked => ({ url, method, headers, httpVersion, socket });
const hostOf = ({ headers: { host } }: IncomingMessage): Asked["headers"] => (host === undefined ? {} : { host });

/** The origins of OpenNext that are functions; any other is a split function by its name. */
const roleOf = (origin: string): FunctionRole =>
  origin === "default" ? "server" : origin === "imageOptimizer" ? "image" : `server-${origin}`;

const NOTHING_LIVE = page(503, "Nothing is live here yet", "Deploy the first release with: shiplog deploy", [["retry-after", "5"]]);
/** As CloudFront, which answers for the names of its distribution alone. */
const notThisSite = (why: string): Answer => page(403, "This is not the site's name", why);
const NO_WEBSOCKETS = page(
  501,
  "No WebSockets here",
  "A Lambda function answers one request at a time. Use a WebSocket service beside the site.",
);
const READ_ONLY = page(405, "This is a file", "Files can be read only, with GET or HEAD.", [["allow", "GET, HEAD"]]);
const BAD_PATH = page(400, "This is no path of a file", "Check the address for a stray % or a .. in it.");
const TOO_LARGE = page(
  413,
  "The request is too large",
  "A Lambda function takes at most 6 MB in one request, less when the body is binary.",
  [["connection", "close"]],
);
const REQUEST_ID = "x-shiplog-request";
const failure = (requestId: string): Answer =>
  page(502, "The site could not answer", `The log of the development server has the reason under request ${requestId}.`, [
    [REQUEST_ID, requestId],
  ]);

/** CloudFront hands on what the origin says. */
const originAnswer = ({ status, headers = {}, body = "" }: AwsResponse): Answer => ({
  status,
  headers: Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const)),
  body: typeof body === "string" ? Buffer.from(body) : body,
});

/** Keeps the routers of the last few releases. One that could not be had is asked for again. */
function rememberRouters(manifest: EdgeOptions["manifest"]): (deploymentId: string) => Promise<(path: string) => string> {
  const routers = new Map<string, Promise<(path: string) => string>>();
  return (deploymentId) => {
    const known = routers.get(deploymentId);
    if (known) return known;
    const made = manifest(deploymentId).then((found) => {
      if (!found) throw new Error(`${deploymentId} is live and has no manifest: deploy again, or roll back`);
      return router(found.behaviors);
    });
    routers.set(deploymentId, made);
    made.catch(() => routers.delete(deploymentId));
    const oldest = routers.keys().next().value;
    if (routers.size > 16 && oldest !== undefined) routers.delete(oldest);
    return made;
  };
}

/** The key of a public file's path; undefined for what cannot name one. */
function assetKey(path: string): string | undefined {
  try {
    const key = decodeURIComponent(path).replace(/^\//, "");
    return key.split("/").includes("..") || key.includes("\0") ? undefined : key;
  } catch {
    return undefined;
  }
}

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

function report(requestId: string, what: string, reason: unknown): void {
  console.error(
    JSON.stringify({ from: "edge", requestId, what, reason: reason instanceof Error ? (reason.stack ?? reason.message) : reason }),
  );
}
