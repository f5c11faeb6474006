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
  /** Collect the end of the log (LogType Tail). */
  readonly tail: boolean;
};

/** What an invocation came to. A `functionError` is the function's own failure: `payload` then holds the error. */
export type Outcome = {
  readonly payload: Buffer;
  readonly functionError?: "Unhandled";
  /** The last 4 KB of the log, when asked for. */
  readonly log?: string;
};

/** The outcome of an invocation that its function could not finish. */
export const unhandled = (errorType: string, errorMessage: string): Outcome => ({
  payload: Buffer.from(JSON.stringify({ errorType, errorMessage })),
  functionError: "Unhandled",
});
