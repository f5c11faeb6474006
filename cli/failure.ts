/** What the exit code of every command says. Scripts rely on these numbers: they never change their meaning. */
export const exit = {
  /** what was asked for is so */
  reached: 0,
  unexpected: 1,
  /** wrong words: also an unknown site, environment or id, and a folder that is no app */
  usage: 2,
  /** the deployment was cancelled, or a newer one took its place */
  stopped: 3,
  unauthorised: 4,
  failed: 5,
  /** the rules said no */
  conflict: 6,
  /** ready, and waiting for a pin or lock to go */
  held: 7,
  timeout: 124,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exit)[keyof typeof exit];

/**
 * An end of a command that the person can understand and act on. Anything else that is thrown is a fault of the CLI.
 * `message`: what happened, to what, why; `next`: what to do about it; `code`: the API's code, or a word of ours.
 */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly next: string | undefined;
  constructor(exitCode: ExitCode, code: string, message: string, options: { next?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.exitCode = exitCode;
    this.code = code;
    this.next = options.next;
  }
}

export const usageError = (message: string, next?: string): CliError =>
  new CliError(exit.usage, "usage", message, next === undefined ? {} : { next });
