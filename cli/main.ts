import { CommanderError } from "commander";
import { openContext } from "./context.ts";
import { CliError, ENDING_SIGNALS, exit, systemProblem, systemReason } from "./failure.ts";
import { Interrupted, onEndingSignal } from "./interruption.ts";
import { buildProgram } from "./program.ts";
import { openTerminal, ReaderGone } from "./terminal.ts";

const terminal = openTerminal(process.stdin, process.stdout, process.stderr);
const interruption = onEndingSignal((signal) => process.exit(ENDING_SIGNALS[signal]));

const program = buildProgram((options) => async (work) => {
  process.exitCode = (await work(openContext(terminal, interruption, options))) ?? exit.reached;
});

try {
  await program.parseAsync();
} catch (error) {
  terminal.live(null);
  process.exitCode = report(error);
}
// a command that was stopped while it watched says so by the signal that stopped it
if (process.exitCode === exit.interrupted && interruption.reason instanceof Interrupted)
  process.exitCode = ENDING_SIGNALS[interruption.reason.signal];
const unwritten = await terminal.unwritten();
if (unwritten !== undefined) {
  terminal.note(`${terminal.paintNote("red", "error:")} The output could not be written: ${systemReason(unwritten) ?? unwritten.message}.`);
  if (process.exitCode === exit.reached) process.exitCode = exit.unexpected;
}

/** Says what went wrong on stderr (and with --json as a document on stdout) and gives the exit code. */
function report(error: unknown): number {
  // `shiplog audit | head`: the reader has what it wants
  if (error instanceof ReaderGone) return exit.reached;
  // commander has printed it already: 0 is --help and --version
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exit.reached;
    const message = error.code === "commander.help" ? "No command was given." : error.message.replace(/^error: /, "");
    tellPrograms({ code: "usage", message, next: "See `shiplog --help`." });
    return exit.usage;
  }

  const failure = interruption.aborted && !(error instanceof CliError) ? interrupted() : asCliError(error);
  terminal.note(`${terminal.paintNote("red", "error:")} ${failure.message}`);
  if (failure.next !== undefined) terminal.note(failure.next);
  if (process.env.SHIPLOG_DEBUG === "1") terminal.note(stackOf(error));
  tellPrograms(failure);
  return failure.exitCode;
}

/** With --json, wherever it stands and whatever else could not be understood: one line, so that it also fits a stream of events. */
function tellPrograms({ code, message, next, findings }: Pick<CliError, "code" | "message" | "next"> & Partial<CliError>): void {
  if (program.opts().json !== true && !process.argv.includes("--json")) return;
  terminal.document({ error: { code, message, ...(next !== undefined && { next }), ...(findings !== undefined && { findings }) } }, "line");
}

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const problem = systemProblem(error);
  if (problem !== undefined) return problem;
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
