import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type AccountLimits, USUAL_ACCOUNT } from "../account-limits.ts";
import { functionInPath } from "../function-address.ts";
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from "../http.ts";
import { foreignHost, foreignRequest } from "../loopback.ts";
import { type AccessKey, functionKeyOf, openAccessKey } from "./access-key.ts";
import type { StreamHandler } from "./change-stream.ts";
import { type InvalidationListener, openCloudFront } from "./cloudfront.ts";
import { type Route, routeOf } from "./dispatch.ts";
import { openDynamoDb } from "./dynamodb.ts";
import { type EmittedEvent, openEventBus } from "./event-bus.ts";
import type { BusEvent } from "./event-delivery.ts";
import { keyValueService } from "./key-value-api.ts";
import { type KeyValueStores, openKeyValueStores } from "./key-value-store.ts";
import { kmsService } from "./kms.ts";
import { type LogLine, openLogStore } from "./log-store.ts";
import { logsService } from "./logs.ts";
import { openQueuesAndObjects } from "./queues-and-objects.ts";
import { secretsService } from "./secrets.ts";
import { serviceQuotasService } from "./service-quotas.ts";
import { type Signed, signatureCheck } from "./signature.ts";
import { bucketInPath, signedRequest } from "./signed-host.ts";
import { errorAnswer, type Protocol, readBody, toAwsRequest, writeAnswer } from "./wire.ts";

export type { AccessKey } from "./access-key.ts";
export type { StreamHandler, StreamRecord } from "./change-stream.ts";
export type { Invalidation, InvalidationListener } from "./cloudfront.ts";
export type { EmittedEvent } from "./event-bus.ts";
export type { BusEvent } from "./event-delivery.ts";
export type { KeyValueStores } from "./key-value-store.ts";
export type { LogLine } from "./log-store.ts";

/**
 * Answers `http://<urlId>.lambda-url.localhost/…` and `/.lambda-url/<urlId>/…`; the request's path is what follows the id. `signed` rejects where the request is not
 * signed with the access key: for a URL that asks for it.
 */
export type FunctionUrlHandler = (urlId: string, request: AwsRequest, signed: () => Promise<void>) => Promise<AwsResponse>;

/** The services that are written elsewhere and put behind this endpoint. */
export type Mountable = { lambda: AwsService; codebuild: AwsService; functionUrl: FunctionUrlHandler };

/** A running local AWS: one loopback port that speaks the wire protocols of what the engine uses. */
export type Endpoint = {
  /** `http://127.0.0.1:<port>`, to be given to SDK clients as `endpoint` or in `AWS_ENDPOINT_URL`. */
  readonly url: string;
  readonly port: number;
  /** What every request must be signed with; made at the first start on the data folder. */
  readonly credentials: AccessKey;
  /** what sites' functions sign with: of a bucket they may list what is below an environment's own folders */
  readonly functionCredentials: AccessKey;
  /** Puts a service behind the endpoint; those that need its URL themselves are mounted after the start. */
  mount<Name extends keyof Mountable>(name: Name, service: Mountable[Name]): void;
  /**
   * Listens to the changes of a table whose stream is enabled, from now on. One batch at a time, in the order of the
   * writes; a batch whose handler rejects is repeated, with a growing pause, until it succeeds. Returns the unsubscription.
   */
  onStream(tableName: string, handler: StreamHandler): () => void;
  /** Puts an event of a local service (`aws.codebuild`) on the default bus; it is in the queues when this resolves. */
  emit(event: EmittedEvent): Promise<void>;
  /** Lets a cache hear of invalidations. Returns the unsubscription. */
  onInvalidation(listener: InvalidationListener): () => void;
  /** The tables that edges look up: made here, since no engine makes one, and read without a request. */
  readonly keyValueStores: Pick<KeyValueStores, "create" | "read" | "readAsOf">;
  /** CloudWatch Logs for local services; group and stream are made where they are missing. */
  readonly logs: { append(group: string, stream: string, lines: readonly LogLine[]): void };
  /** Calls since the start, by `service.Operation`: `dynamodb.PutItem`, `s3.PutObject`, `cloudfront.CreateInvalidation`. */
  counters(): Record<string, number>;
  /** For tests: while set, events for which it is true are accepted and lost before any rule sees them. */
  dropEvents(predicate: ((event: BusEvent) => boolean) | undefined): void;
  close(): Promise<void>;
};

export type EndpointOptions = Partial<Mountable> & {
  /** Everything that must outlive the process lies here; made where it is missing. One endpoint at a time. */
  dataDir: string;
  /** Default 0: any free port. */
  port?: number;
  /** What Service Quotas says of the account. Default a usual one. */
  account?: AccountLimits;
};

const MAX_CLOSE_MS = 2_000;

/** Starts the local AWS on 127.0.0.1. Everything it answered is there again when it starts on the same `dataDir`, also after a kill. */
export async function startEndpoint({ dataDir, port = 0, account = USUAL_ACCOUNT, ...given }: EndpointOptions): Promise<Endpoint> {
  // first what needs no closing: any of them may be damaged
  const credentials = openAccessKey(dataDir);
  const functionCredentials = functionKeyOf(credentials);
  const checkSignature = signatureCheck([credentials, functionCredentials]);
  const bus = openEventBus(dataDir, (...message) => queues.send(...message));
  const logs = openLogStore(join(dataDir, "logs"));
  const cloudfront = openCloudFront(dataDir);
  const keyValueStores = openKeyValueStores(join(dataDir, "key-value-stores"));
  const mounted: Partial<Mountable> = given;
  const services: Partial<Record<string, AwsService>> = {
    events: bus.service,
    logs: logsService(logs),
    secretsmanager: secretsService(dataDir),
    kms: kmsService(dataDir),
    cloudfront: cloudfront.service,
    "cloudfront-keyvaluestore": keyValueService(keyValueStores),
    servicequotas: serviceQuotasService(account),
  };
  const dynamodb = await openDynamoDb(dataDir);
  const queues = await openQueuesAndObjects(join(dataDir, "queues-and-objects")).catch(async (error: unknown) => {
    await dynamodb.close();
    throw error;
  });
  const counters: Record<string, number> = {};
  const count = (name: string): void => {
    counters[name] = (counters[name] ?? 0) + 1;
  };

  async function serve(request: IncomingMessage, response: ServerResponse, route: Route, signed: Signed): Promise<void> {
    const { service, operation } = route;
    if (service === "s3") {
      const { accessKeyId } = await checkSignature(signed, "s3", undefined);
      count(`s3.${operation}`);
      return queues.serve(request, response, undefined, accessKeyId === functionCredentials.accessKeyId);
    }
    const body = await readBody(request);
    if (service === "function-url") {
      count("function-url.Invoke");
      return writeAnswer(response, await functionUrl(signed, toAwsRequest(request, body)));
    }
    await checkSignature(signed, service, body);
    count(`${service}.${operation}`);
    if (service === "sqs") return queues.serve(request, response, body);
    if (service === "dynamodb") {
      const { method = "GET", url = "/", headers } = request;
      return dynamodb.serve(operation, { method, url, headers, body }, response);
    }
    writeAnswer(response, await answer(route, toAwsRequest(request, body)));
  }

  async function functionUrl(signed: Signed, request: AwsRequest): Promise<AwsResponse> {
    const [, urlId = "", path] = /^\/\.lambda-url\/([^/]+)(\/.*)?$/s.exec(request.path) ?? [];
    if (!mounted.functionUrl) throw notMounted("function URLs");
    return mounted.functionUrl(
      urlId,
      { ...request, path: path ?? "/" },
      async () => void (await checkSignature(signed, "lambda", request.body)),
    );
  }

  async function answer({ service }: Route, request: AwsRequest): Promise<AwsResponse> {
    const run = service === "lambda" || service === "codebuild" ? mounted[service] : services[service];
    if (!run) throw notMounted(service);
    return run(request);
  }

  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    open.add(response);
    response.once("close", () => open.delete(response));
    let protocol: Protocol = request.headers["x-amz-target"] ? "json" : "xml";
    const fail = (error: unknown): void => {
      if (!request.errored) writeAnswer(response, errorAnswer(error, protocol)); // a client that went away gets no answer
    };
    try {
      const signed = signedRequest(request);
      request.url = functionInPath(bucketInPath(request.url ?? "/", signed.headers.host ?? ""), request.headers.host ?? "");
      const [path = "/"] = request.url.split("?");
      const route = routeOf({ ...signed, path, query: new URLSearchParams(signed.query) });
      protocol = route.protocol;
      refuseForeign(route, request.headers);
      serve(request, response, route, signed).catch(fail);
    } catch (error) {
      fail(error);
    }
  });
  // SDK clients keep sockets open; one that is closed while a request is on its way fails that request.
  server.keepAliveTimeout = 600_000;
  server.requestTimeout = 0;

  const listening = await listen(server, port).catch(async (error: unknown) => {
    await Promise.all([dynamodb.close(), queues.close()]);
    throw error;
  });
  const url = `http://127.0.0.1:${listening}`;
  queues.answerQueueUrlsAt(url);

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    await dynamodb.stopStreams();
    const closed = new Promise((resolve) => server.close(resolve));
    queues.stopWaiting();
    // A write that is cut off in the middle would find its database closed.
    const answered = Promise.all([...open].map((response) => once(response, "close")));
    await Promise.race([answered, sleep(MAX_CLOSE_MS, undefined, { ref: false })]);
    server.closeAllConnections();
    await closed;
    await queues.close();
    await dynamodb.close();
  }

  return {
    url,
    port: listening,
    get functionCredentials() {
      return { ...functionCredentials };
    },
    get credentials() {
      return { ...credentials }; // an SDK client writes into what it is given
    },
    mount(name, service) {
      mounted[name] = service;
    },
    onStream: dynamodb.onStream,
    emit: bus.emit,
    onInvalidation: cloudfront.onInvalidation,
    keyValueStores,
    logs: { append: logs.append },
    counters: () => ({ ...counters }),
    dropEvents: bus.dropEvents,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Browsers are no clients of AWS. A function URL is a web address: pages of any site may ask it, as on AWS. */
function refuseForeign({ service, protocol }: Route, headers: IncomingHttpHeaders): void {
  const why = service === "function-url" ? foreignHost(headers.host) : foreignRequest(headers);
  if (why !== undefined) throw new AwsError(protocol === "xml" ? "AccessDenied" : "AccessDeniedException", 403, why);
}

/** Binds the loopback interface only. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === "EADDRINUSE";
      reject(taken ? new Error(`Port ${port} is taken. Stop what listens there, or choose another port.`, { cause }) : cause);
    });
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const notMounted = (what: string): AwsError =>
  new AwsError("ServiceUnavailableException", 503, `This local endpoint was started without ${what}.`);
