import type { Context } from "./context.ts";
import { CliError, exit, usageError } from "./failure.ts";

/**
 * Asks before something that visitors may notice. Without a terminal nobody can answer: then `--yes` must be given.
 * @throws CliError: usage without a terminal and without --yes; stopped where the answer is no
 */
export async function confirm({ terminal, signal }: Context, question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!terminal.interactive) throw usageError(`${question} Nobody can be asked here: this is no terminal.`, "Say it with --yes.");
  if (!(await terminal.ask(question, signal))) throw new CliError(exit.stopped, "declined", "Nothing was changed.");
}
