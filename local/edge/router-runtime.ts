import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createContext, Script } from "node:vm";

/** A value of a header, a cookie or the query as CloudFront hands it to a function; `multiValue` where it came more than once. */
export type EventValue = { readonly value: string; readonly multiValue?: readonly { readonly value: string }[] };
export type EventValues = Readonly<Record<string, EventValue>>;

/** What CloudFront gives to a function on a viewer's request. */
export type RouterEvent = {
  readonly version: "1.0";
  readonly context: {
    readonly distributionDomainName: string;
    readonly distributionId: string;
    readonly eventType: "viewer-request";
    readonly requestId: string;
  };
  readonly viewer: { readonly ip: string };
  readonly request: RouterRequest;
};
export type RouterRequest = {
  readonly method: string;
  readonly uri: string;
  readonly querystring: EventValues;
  readonly headers: EventValues;
  readonly cookies: EventValues;
};

/** What the router said. `origin`: where the request goes instead of to its behaviour's; `reads`: what it looked up, in order. */
export type Routed = {
  readonly request: RouterRequest;
  readonly origin: { readonly domainName: string } | { readonly originId: string } | undefined;
  readonly reads: readonly { readonly key: string; readonly value: string | undefined }[];
};

/** Answers a row of the table; what it throws the function hears as an error. */
export type ReadRow = (key: string) => Promise<string | undefined> | string | undefined;
export type Router = (event: RouterEvent, read: ReadRow) => Promise<Routed>;

/** The function broke a limit of CloudFront, threw, or gave back what is no request: a visitor gets a 503. */
export class RouterFailed extends Error {
  override readonly name = "RouterFailed";
}

/** Bytes of the source. */
export const SOURCE_MAX = 10 * 1_024;
/** Look-ups of one request. CloudFront counts instructions, which peers ran out of with more. */
export const READS_MAX = 3;
/** CloudFront's own is about a millisecond. What a thread itself computes is counted: a busy machine makes nobody break it. */
const COMPUTE_MAX_MS = 50;
/** Stops what never ends. */
const TIME_MAX_MS = 3_000;
/** The same for who runs worlds by the thousand on a machine that does other things as well: nobody waits there. */
const TIME_MAX_AT_ONCE_MS = 60_000;

/** What CloudFront's runtime 2.0 has of the language; everything else is taken away. */
const GLOBALS = new Set(
  `Object Function Array Number Boolean String Symbol Date Promise RegExp Error EvalError RangeError ReferenceError SyntaxError
  TypeError URIError JSON Math ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float32Array
  Float64Array Uint8ClampedArray DataView globalThis NaN Infinity undefined parseInt parseFloat isNaN isFinite decodeURI
  decodeURIComponent encodeURI encodeURIComponent atob btoa Buffer TextDecoder TextEncoder console`.split(/\s+/),
);

/** CloudFront says of these that a function may not change them. */
const READ_ONLY = ["content-length", "host", "transfer-encoding", "via"];

/** The source of the router that CloudFront runs, too. */
export const routerSource = (): string => readFileSync(new URL("../../blueprint/edge-router.js", import.meta.url), "utf8");

type Host = {
  event: string;
  read(key: string): { value?: string; failure?: string } | undefined;
  choose(origin: string): void;
  done(request: string | undefined): void;
  failed(reason: string): void;
  createHash: typeof createHash;
  now(): number;
};

/** Runs in the function's own world, so that it meets no object of ours. */
const WORLD = `({ host, allowed, main }) => {
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!allowed.includes(name)) delete globalThis[name];
  const get = (key, options) => {
    const row = host.read(String(key));
    // what is not here yet is fetched, and the function runs anew
    if (row === undefined) return new Promise(() => {});
    if (row.failure !== undefined) return Promise.reject(new Error(row.failure));
    return Promise.resolve(options !== undefined && options.format === "json" ? JSON.parse(row.value) : row.value);
  };
  const cf = {
    kvs: () => ({ get }),
    updateRequestOrigin: (origin) => host.choose(JSON.stringify({ domainName: origin.domainName })),
    selectRequestOriginById: (originId) => host.choose(JSON.stringify({ originId })),
  };
  const hashed = (hash) => ({
    update: (text) => hashed(hash.update(text)),
    digest: (encoding) => hash.digest(encoding),
  });
  Date.now = () => host.now();
  const crypto = { createHash: (name) => hashed(host.createHash(name)) };
  const handler = main(cf, crypto);
  return () =>
    Promise.resolve()
      .then(() => handler(JSON.parse(host.event)))
      .then((request) => host.done(JSON.stringify(request)), (error) => host.failed(String((error && error.stack) || error)));
}`;

/**
 * Makes a router of a function's source, as CloudFront would run it: with its modules and nothing of Node's, no code from
 * strings, three look-ups and a limit of time.
 *
 * The function never waits for us: a row that is not here yet ends the run, and it begins anew with the row. So the limit of
 * time holds for the whole of it, also for what it does after a look-up.
 *
 * Throws for a source that CloudFront would not take; the router rejects with `RouterFailed`.
 */
export const loadRouter = (source: string): Router => {
  const run = load(source, Date.now, TIME_MAX_MS);
  return async (event, read) => {
    const rows = new Map<string, Row>();
    for (;;) {
      const { wanted, result } = run(event, rows);
      if (result !== undefined) return result;
      for (const key of wanted) rows.set(key, await lookUp(read, key));
    }
  };
};

/** As `loadRouter`, for who has every row at hand, and a time of its own: it answers at once. */
export const loadRouterAtOnce = (
  source: string,
  now: () => number,
): ((event: RouterEvent, read: (key: string) => string | undefined) => Routed) => {
  const run = load(source, now, TIME_MAX_AT_ONCE_MS);
  return (event, read) => {
    const rows = new Map<string, Row>();
    for (;;) {
      const { wanted, result } = run(event, rows);
      if (result !== undefined) return result;
      for (const key of wanted) rows.set(key, rowOf(key, read(key)));
    }
  };
};

const load = (source: string, now: () => number, timeout: number) => {
  const bytes = Buffer.byteLength(source);
  if (bytes > SOURCE_MAX) throw new RouterFailed(`The router has ${bytes} bytes, and CloudFront takes ${SOURCE_MAX}. Make it shorter.`);
  const { context, host } = makeWorld(source, now);
  const start = new Script("start()", { filename: "edge-router-start.js" });
  return (event: RouterEvent, rows: ReadonlyMap<string, Row>) => {
    const ran = runOnce(host, event, rows, () => start.runInContext(context, { timeout }));
    if (ran.result === undefined && ran.wanted.length === 0)
      throw new RouterFailed("The router never came to an end: it waits for what nobody does.");
    return ran;
  };
};

const makeWorld = (source: string, now: () => number) => {
  const host = { createHash, now } as Host;
  const sandbox = { Buffer, TextDecoder, TextEncoder, atob, btoa, console: { log: (text: unknown) => console.log(text) } };
  const context = createContext(sandbox, { codeGeneration: { strings: false, wasm: false }, microtaskMode: "afterEvaluate" });
  // on the same lines, so that an error says where it was
  const code = source.replace(/^import \w+ from ['"]\w+['"];$/gm, "");
  const main: unknown = new Script(`(function (cf, crypto) { "use strict"; ${code}\nreturn handler; })`, {
    filename: "edge-router.js",
  }).runInContext(context);
  const world = new Script(`(${WORLD})`).runInContext(context) as (parts: object) => unknown;
  Object.assign(context, { start: world({ host, main, allowed: [...GLOBALS] }) });
  return { context, host };
};

type Row = { value?: string; failure?: string };
const rowOf = (key: string, value: string | undefined): Row => (value === undefined ? { failure: `KeyNotFound: ${key}` } : { value });

const lookUp = async (read: ReadRow, key: string): Promise<Row> => {
  try {
    return rowOf(key, await read(key));
  } catch (error) {
    return { failure: String(error) };
  }
};

/** One run with the rows that are here; without a result, `wanted` are those that it waits for. */
const runOnce = (
  host: Host,
  event: RouterEvent,
  rows: ReadonlyMap<string, Row>,
  start: () => void,
  /** it computed for too long before, with the same rows */
  isSecond = false,
): { wanted: string[]; result?: Routed } => {
  const reads: { key: string; value: string | undefined }[] = [];
  const wanted: string[] = [];
  let origin: Routed["origin"];
  let request: string | undefined;
  let failure: string | undefined;
  Object.assign(host, {
    event: JSON.stringify(event),
    read: (key: string) => {
      const row = rows.get(key);
      reads.push({ key, value: row?.value });
      if (row === undefined) wanted.push(key);
      return row;
    },
    choose: (chosen: string) => {
      origin = JSON.parse(chosen);
    },
    done: (text: string | undefined) => {
      request = text ?? "null";
    },
    failed: (reason: string) => {
      failure = reason;
    },
  } satisfies Partial<Host>);
  const before = process.threadCpuUsage();
  try {
    start();
  } catch (error) {
    throw new RouterFailed(`The router was stopped: ${(error as Error).message}`);
  }
  const { user, system } = process.threadCpuUsage(before);
  const computed = (user + system) / 1_000;
  // what the collector or the compiler took of this thread is not the function's: that does not come twice
  if (computed > COMPUTE_MAX_MS && !isSecond) return runOnce(host, event, rows, start, true);
  if (computed > COMPUTE_MAX_MS) throw new RouterFailed(`The router computed for ${computed} ms, and has ${COMPUTE_MAX_MS}.`);
  if (reads.length > READS_MAX)
    throw new RouterFailed(`The router looked up ${reads.length} rows, and has ${READS_MAX} look-ups a request.`);
  if (failure !== undefined) throw new RouterFailed(`The router threw: ${failure}`);
  return request === undefined ? { wanted } : { wanted, result: { request: checked(request, event.request), origin, reads } };
};

/** What CloudFront refuses in a request that a function gives back. */
const checked = (text: string, asked: RouterRequest): RouterRequest => {
  const request: RouterRequest | null = JSON.parse(text);
  const refuse = (why: string): never => {
    throw new RouterFailed(`The router gave back no request that CloudFront takes: ${why}.`);
  };
  if (typeof request?.uri !== "string" || !request.uri.startsWith("/")) return refuse("its uri does not begin with a slash");
  if (request.method !== asked.method) return refuse(`its method is ${request.method}, and was ${asked.method}`);
  for (const [name, one] of Object.entries(request.headers))
    if (name !== name.toLowerCase() || typeof one?.value !== "string") return refuse(`its header ${name} is none`);
  const changed = READ_ONLY.find((name) => request.headers[name]?.value !== asked.headers[name]?.value);
  return changed === undefined ? request : refuse(`it changed ${changed}`);
};
