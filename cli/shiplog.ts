#!/usr/bin/env node
import { CommanderError } from "commander";
import { openContext } from "./context.ts";
import { CliError, exit } from "./failure.ts";
import { buildProgram } from "./program.ts";
import { openTerminal } from "./terminal.ts";

const terminal = openTerminal(process.stdin, process.stdout, process.stderr);
const interruption = new AbortController();
process.on("SIGINT", () => {
  if (interruption.signal.aborted) process.exit(exit.interrupted);
  interruption.abort();
});
// `shiplog list | head`: the reader has what it wants
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exit.reached);
  throw error;
});

const program = buildProgram((options) => async (work) => {
  process.exitCode = (await work(openContext(terminal, interruption.signal, options))) ?? exit.reached;
});

try {
  await program.parseAsync();
} catch (error) {
  terminal.live(null);
  process.exitCode = report(error);
}

/** Says what went wrong on stderr (and with --json as a document on stdout) and gives the exit code. */
function report(error: unknown): number {
  // commander has said it already: 0 is --help and --version
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.reached : exit.usage;

  const failure = interruption.signal.aborted && !(error instanceof CliError) ? interrupted() : asCliError(error);
  terminal.note(`${terminal.paintNote("red", "error:")} ${failure.message}`);
  if (failure.next !== undefined) terminal.note(failure.next);
  if (process.env.SHIPLOG_DEBUG === "1") terminal.note(stackOf(error));
  // one line, so that it also fits a stream of events
  if (program.opts().json) terminal.document({ error: { code: failure.code, message: failure.message } }, "line");
  return failure.exitCode;
}

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CliError(exit.unexpected, "unexpected", `Something unexpected happened: ${message}`, {
    next: "Set SHIPLOG_DEBUG=1 to see where.",
    cause: error,
  });
}

function interrupted(): CliError {
  return new CliError(exit.interrupted, "interrupted", "Interrupted.", {
    next: "See what the engine is doing:  shiplog status",
  });
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? String(error.stack) : `${error.stack}\nbecause: ${stackOf(error.cause)}`;
}
