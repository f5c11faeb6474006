import { type Client, openClient } from "../client/client.ts";
import type { Failure, Result } from "../client/http.ts";
import type { Connection } from "./connection.ts";
import { CliError, exit, usageError } from "./failure.ts";

/** The client's functions, for a command: an answer, or a `CliError` with the exit code it leads to. */
export type Api = {
  readonly [K in keyof Client]: Client[K] extends (...given: infer A) => Promise<Result<infer T>> ? (...given: A) => Promise<T> : Client[K];
};

type Asking = { readonly actor: string; readonly signal: AbortSignal; readonly onVersion?: (engine: string) => void };

export const openApi = (connection: Connection, { actor, signal, onVersion }: Asking): Api => {
  const { url, token } = connection;
  const client = openClient({ url, token, actor, client: "cli", onVersion, signal });
  const throwing =
    (ask: (...given: never[]) => Promise<Result<unknown>>) =>
    async (...given: never[]): Promise<unknown> => {
      const result = await ask(...given);
      if (result.ok) return result.value;
      if (result.failure.kind === "interrupted" && !result.failure.sent) throw signal.reason;
      throw errorOf(connection, result.failure);
    };
  return Object.fromEntries(
    Object.entries(client).map(([name, ask]) => [name, typeof ask === "function" ? throwing(ask) : ask]),
  ) as unknown as Api;
};

/** True for what may be gone when asked again: no connection, or a fault of the server. */
export const isPassing = (error: unknown): boolean =>
  error instanceof CliError && ["unreachable", "server.fault", "token.unreachable"].includes(error.code);

/** What a failure means to the person at the terminal. */
const errorOf = (connection: Connection, failure: Failure): CliError => {
  const { url, source } = connection;
  switch (failure.kind) {
    case "empty":
      return usageError("An id or a name is empty.", "Is a variable in the command not set?");
    case "interrupted":
      return new CliError(
        exit.interrupted,
        "interrupted",
        "Interrupted while the request was on its way: the engine may have carried it out.",
        {
          next: "See whether it did:  shiplog status, shiplog list",
        },
      );
    case "no-token":
      return new CliError(
        failure.passing ? exit.unexpected : exit.unauthorised,
        failure.passing ? "token.unreachable" : "token.refused",
        `GitHub gives this job no token for ${url}: ${failure.why}.`,
        {
          next: failure.passing ? "Try again." : "Give the job `permissions: id-token: write`, or set SHIPLOG_TOKEN.",
          cause: failure.cause,
        },
      );
    case "unreachable":
      return new CliError(exit.unexpected, "unreachable", `Shiplog at ${url} cannot be reached (${failure.why}).`, {
        next:
          source === "SHIPLOG_URL"
            ? "Check SHIPLOG_URL and the network."
            : `Is it running? ${source} names it: start \`shiplog dev\` again.`,
        cause: failure.cause,
      });
    case "unexpected":
      return new CliError(exit.unexpected, "server.strange", `${url} answered ${failure.request} with something unexpected.`, {
        next: `Check that ${source} names a Shiplog API, and that this CLI and the engine are of the same version.`,
        cause: failure.cause,
      });
    case "refused":
      return refused(connection, failure);
  }
};

const refused = ({ source, token }: Connection, { status, code, message, candidates }: Extract<Failure, { kind: "refused" }>): CliError => {
  if (code === "host.unknown" || code === "origin.refused") return new CliError(exit.unauthorised, code, message);
  if (code === "variables.closed")
    return new CliError(exit.unauthorised, code, message, { next: "Ask who has such a token, or set the value anew where you know it." });
  if (status === 401 || status === 403)
    return new CliError(
      exit.unauthorised,
      code,
      message,
      typeof token === "function"
        ? {}
        : {
            next:
              source === "SHIPLOG_URL" ? "Check SHIPLOG_TOKEN." : `The token in ${source} is not accepted: start \`shiplog dev\` again.`,
          },
    );
  if (code === "id.ambiguous")
    return new CliError(exit.usage, code, message, {
      next: `Give more characters of the id${candidates === undefined ? "." : `: ${candidates.join(", ")}`}`,
    });
  if (code === "stream.broken" || code === "seal.broken")
    return new CliError(exit.failed, code, message, { next: "Find every such commit with:  shiplog audit verify" });
  if (status === 409) return new CliError(exit.conflict, code, message);
  if (status === 429 || status >= 500)
    return new CliError(exit.unexpected, "server.fault", `Shiplog could not do this: ${message}`, {
      next: "Try again; if it stays, look at the engine's log.",
    });
  return new CliError(exit.usage, code, message);
};
