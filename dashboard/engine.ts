import { type Client, openClient } from "../client/client.ts";
import type { Failure, Result } from "../client/http.ts";

/** Answers a request to the engine's API in this very process. `env`: what the server tells of the connection. */
export type Ask = (request: Request, env?: object) => Response | Promise<Response>;

/** By which somebody asks: a session, or the token with which one is begun, and who they say they are. */
export type Credential = { readonly token: string; readonly actor?: string };

/** The API as the page asks it: in the name of whoever signed in, and nothing that another program could not do. */
export const engineAs = (ask: Ask, { token, actor = "" }: Credential, env: object, signal: AbortSignal): Client =>
  openClient({
    url: "http://localhost",
    token,
    actor,
    client: "dashboard",
    signal,
    fetch: async (url, init) => ask(new Request(url, init), env),
  });

/** The log as it grows, as the API streams it (`GET /v1/stream`); what it refuses, too. @param lastId the id that the reader was given last */
export const streamAs = (
  ask: Ask,
  { token }: Credential,
  lastId: string | undefined,
  env: object,
  signal: AbortSignal,
): Response | Promise<Response> =>
  ask(
    new Request("http://localhost/v1/stream", {
      headers: { authorization: `Bearer ${token}`, ...(lastId !== undefined && { "last-event-id": lastId }) },
      signal,
    }),
    env,
  );

/** The engine said no, or could not be asked: shown as a page with its sentence. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  constructor(failure: Failure) {
    const told = failure.kind === "refused" ? failure : undefined;
    super(told?.message ?? "The engine gave no answer that this page understands. Load it again in a moment.");
    this.status = told?.status ?? 502;
  }
}

/** @throws Refused */
export const must = async <T>(answer: Promise<Result<T>>): Promise<T> => {
  const result = await answer;
  if (result.ok) return result.value;
  throw new Refused(result.failure);
};
