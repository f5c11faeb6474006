import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { ApiError } from "./contract.ts";
import { CLIENT_VERSION_HEADER, VERSION_HEADER, version } from "./version.ts";

/** Who asks, of which engine. `signal`: ends what is under way. */
export type Caller = {
  readonly url: string;
  /** the token, or who knows one for each request: those that last for minutes are asked for again */
  readonly token: string | TokenSource;
  /** who is said to ask; the engine believes it of a token alone */
  readonly actor: string;
  /** by what: `cli`, `dashboard` */
  readonly client: string;
  /** hears with every answer which version the engine says it is */
  readonly onVersion?: ((engine: string) => void) | undefined;
  readonly signal: AbortSignal;
  /** default: over the network; the page that is served beside the API asks it in its own process */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>;
};

/** @throws NoToken */
export type TokenSource = (signal: AbortSignal) => Promise<string>;

/** No token can be had. `passing`: it may be had later. */
export class NoToken extends Error {
  override readonly name = "NoToken";
  readonly passing: boolean;
  constructor(message: string, passing: boolean, cause?: unknown) {
    super(message, { cause });
    this.passing = passing;
  }
}

/** Why there is no answer. */
export type Failure =
  | { readonly kind: "no-token"; readonly why: string; readonly passing: boolean; readonly cause: unknown }
  | { readonly kind: "unreachable"; readonly why: string; readonly cause: unknown }
  /** the engine says no, or that it cannot: its own code and sentence (contract.ts, `ApiError`) */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly candidates: readonly string[] | undefined;
    }
  /** something answered, and not as the contract says */
  | { readonly kind: "unexpected"; readonly request: string; readonly cause: unknown }
  /** the caller's signal. `sent`: a command was on its way, nobody here knows whether it was carried out */
  | { readonly kind: "interrupted"; readonly sent: boolean }
  /** an id or a name in the path is empty: the path would be another one */
  | { readonly kind: "empty" };

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

export type Query = Readonly<Record<string, string | number | undefined>>;
type Call = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** below `/v1/`; of `segment`s */
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly key?: string;
  readonly changes?: boolean;
};

/** Waits before the second and the third try, in ms. A repeated command carries the same key, so it is the same command. */
const RETRIES = [250, 1_000];
const TIMEOUT_MS = 30_000;

/** True for what may be gone when asked again: no connection, or a fault of the server. */
export const isPassing = (failure: Failure): boolean =>
  failure.kind === "unreachable" ||
  (failure.kind === "no-token" && failure.passing) ||
  (failure.kind === "refused" && (failure.status === 429 || failure.status >= 500));

/** Asks up to three times while what is wrong may pass. Nothing is thrown. */
export async function call<S extends z.ZodType>(by: Caller, request: Call, schema: S): Promise<Result<z.infer<S>>> {
  if (request.path.split("/").includes("")) return failed({ kind: "empty" });
  if (by.signal.aborted) return failed({ kind: "interrupted", sent: false });
  for (let attempt = 0; ; attempt++) {
    const result = await once(by, request, schema);
    if (result.ok) return result;
    const wait = RETRIES[attempt];
    if (!by.signal.aborted && wait !== undefined && isPassing(result.failure))
      await sleep(wait, undefined, { signal: by.signal }).catch(() => undefined);
    if (by.signal.aborted) return failed({ kind: "interrupted", sent: request.changes === true });
    if (wait === undefined || !isPassing(result.failure)) return result;
  }
}

/** A path segment that cannot leave its place; empty where the text is blank, which `call` refuses. */
export const segment = (text: string): string => encodeURIComponent(text.trim() === "" ? "" : text).replace(/^\.+$/, "_");

async function once<S extends z.ZodType>(by: Caller, request: Call, schema: S): Promise<Result<z.infer<S>>> {
  let status: number;
  let text: string;
  try {
    const answer = await send(by, request);
    const engine = answer.headers.get(VERSION_HEADER);
    if (engine !== null) by.onVersion?.(engine);
    status = answer.status;
    text = await answer.text();
  } catch (error) {
    if (error instanceof NoToken) return failed({ kind: "no-token", why: error.message, passing: error.passing, cause: error.cause });
    return failed({ kind: "unreachable", why: whyOf(error), cause: error });
  }
  if (status >= 400) return failed(refusal(status, text));
  const parsed = schema.safeParse(json(text));
  if (parsed.success) return { ok: true, value: parsed.data };
  return failed({ kind: "unexpected", request: `${request.method} /v1/${request.path}`, cause: parsed.error });
}

const send = async (
  { url: base, token: known, actor, client, signal, fetch: ask = fetch }: Caller,
  { method, path, query = {}, body, key }: Call,
): Promise<Response> => {
  const token = typeof known === "string" ? known : await known(signal);
  const url = new URL(`v1/${path}`, `${base.replace(/\/+$/, "")}/`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  return ask(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      "x-shiplog-actor": actor,
      "x-shiplog-client": client,
      [CLIENT_VERSION_HEADER]: version,
      accept: "application/json",
      ...(key !== undefined && { "idempotency-key": key }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
};

const failed = (failure: Failure): { ok: false; failure: Failure } => ({ ok: false, failure });

const whyOf = (error: unknown): string => {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return name === "TimeoutError" ? `no answer within ${TIMEOUT_MS / 1_000} seconds` : (cause?.code ?? cause?.message ?? message);
};

const refusal = (status: number, text: string): Failure => {
  const parsed = ApiError.safeParse(json(text));
  const { code, message, candidates } = parsed.success
    ? parsed.data.error
    : { code: `http.${status}`, message: `The server answered ${status}.`, candidates: undefined };
  return { kind: "refused", status, code, message, candidates };
};

const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
