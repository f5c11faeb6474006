import type { Command } from "commander";
import { claimedActor } from "./actor.ts";
import { type Api, openApi } from "./api.ts";
import { findConnection } from "./connection.ts";
import type { ExitCode } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { versionNote } from "./version-note.ts";

/** What a command is given beside its own words. */
export type Context = {
  readonly terminal: Terminal;
  /** aborted by Ctrl-C */
  readonly signal: AbortSignal;
  /** print one JSON document instead of text */
  readonly json: boolean;
  /** the folder of `--data`, where it was given */
  readonly data: string | undefined;
  /** Calls end with `signal`, else with Ctrl-C. @throws CliError (usage) where no connection is known */
  api(signal?: AbortSignal): Api;
};

/** Runs a command's work with its context and sets the exit code that it returns (`reached` where it returns none). */
export type Run = (work: (context: Context) => Promise<ExitCode | undefined>) => Promise<void>;

/** Adds one command to the program. */
export type Register = (program: Command, run: Run) => void;

export const openContext = (terminal: Terminal, signal: AbortSignal, options: { json?: boolean; data?: string }): Context => {
  const notedOnce = new Set<string>();
  return {
    terminal,
    signal,
    json: options.json === true,
    data: options.data,
    api: (until = signal) => {
      const connection = findConnection(options.data, process.env, process.cwd());
      const onVersion = (engine: string): void => {
        const note = versionNote(connection, engine);
        if (note === undefined || notedOnce.has(note)) return;
        notedOnce.add(note);
        terminal.note(note);
      };
      return openApi(connection, { actor: claimedActor(process.env), signal: until, onVersion });
    },
  };
};
