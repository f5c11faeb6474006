import type { Readable } from "node:stream";
import type { Configuration } from "./records.ts";

/** Something that can run: one version of a function with its code in place. Equal `key`s share their processes. */
export type Task = {
  readonly key: string;
  readonly functionName: string;
  readonly version: string;
  readonly configuration: Configuration;
  /** The unzipped bundle. */
  readonly taskRoot: string;
};

export type Invocation = {
  readonly requestId: string;
  readonly payload: Buffer;
  /** The ARN that the caller used, with its alias or version. */
  readonly arn: string;
};

/** What an invocation came to. A `functionError` is the function's own failure: `payload` then holds the error. */
export type Outcome = { readonly payload: Buffer; readonly functionError?: "Unhandled" };

/** What a function streams: the body comes while the handler writes it. Who has enough of it destroys it, and the handler goes on. */
export type Flow = { readonly contentType: string; readonly body: Readable };

/** What an invocation answers: all of it at its end, or a flow from its first byte on. */
export type Reply = ({ readonly outcome: Outcome } | Flow) & {
  /** The last 4 KB of its log, once it is over. */
  readonly log: () => Promise<string>;
};

/** The outcome of an invocation that its function could not finish. */
export const unhandled = (errorType: string, errorMessage: string): Outcome => ({
  payload: Buffer.from(JSON.stringify({ errorType, errorMessage })),
  functionError: "Unhandled",
});
