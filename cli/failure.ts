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

/** The signals that end a command in order, and its exit code then: 128 and the signal's number, as shells have it. */
export const ENDING_SIGNALS = { SIGINT: exit.interrupted, SIGHUP: 129, SIGTERM: 143 } as const;

/**
 * An end of a command that the person can understand and act on. Anything else that is thrown is a fault of the CLI.
 * `message`: what happened, to what, why; `next`: what to do about it; `code`: the API's code, or a word of ours.
 */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly next: string | undefined;
  /** what was found wrong, each by itself, for programs */
  readonly findings: readonly object[] | undefined;
  constructor(
    exitCode: ExitCode,
    code: string,
    message: string,
    options: { next?: string; cause?: unknown; findings?: readonly object[] } = {},
  ) {
    super(message, { cause: options.cause });
    this.exitCode = exitCode;
    this.code = code;
    this.next = options.next;
    this.findings = options.findings;
  }
}

export const usageError = (message: string, next?: string): CliError =>
  new CliError(exit.usage, "usage", message, next === undefined ? {} : { next });

/** What the machine refuses, in the words of a person. */
const SYSTEM: Readonly<Record<string, readonly [what: string, next: string]>> = {
  ENOSPC: ["no space is left on the disk", "Free some space, then try again."],
  EDQUOT: ["your quota of the disk is used up", "Free some space, then try again."],
  EROFS: ["the disk can only be read", "Use a folder that can be written to."],
  EACCES: ["this user may not do that", "Check who owns it, and its permissions."],
  EPERM: ["this user may not do that", "Check who owns it, and its permissions."],
  EMFILE: ["too many files are open", "Close other programs, or raise the limit (`ulimit -n`)."],
  ENFILE: ["too many files are open on this machine", "Close other programs."],
  ENOTDIR: ["a file is where a folder should be", "Move it away, then try again."],
  EEXIST: ["something else stands in its place", "Move it away, then try again."],
  EISDIR: ["a folder is where a file should be", "Move it away, then try again."],
};

/** Why the machine refused (`no space is left on the disk`); `undefined` where it is no error of the machine's. */
export const systemReason = (error: NodeJS.ErrnoException): string | undefined => SYSTEM[error.code ?? ""]?.[0];

/** An error of the machine itself (a full disk, a file of somebody else's) as one sentence; `undefined` for any other. */
export function systemProblem(error: unknown): CliError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code = "", path, syscall } = cause as NodeJS.ErrnoException;
    const [what, next] = SYSTEM[code] ?? [];
    if (what === undefined) continue;
    const where = path === undefined ? "" : ` ${path}`;
    return new CliError(exit.unexpected, `system.${code.toLowerCase()}`, `Shiplog could not ${syscall ?? "go on"}${where}: ${what}.`, {
      ...(next === undefined ? {} : { next }),
      cause: error,
    });
  }
  return undefined;
}
