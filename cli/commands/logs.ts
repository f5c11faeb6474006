import { setTimeout as sleep } from "node:timers/promises";
import { buildErrorFinder } from "../../domain/build-error/find-build-error.ts";
import { isPassing } from "../api.ts";
import type { Context, Register } from "../context.ts";
import type { LogLine } from "../deployment-story.ts";
import { type ExitCode, exit } from "../failure.ts";
import { showBuildError } from "../show-build-error.ts";
import { coloured } from "../terminal.ts";

/** Prints the output of a deployment's build; of one that failed, its error once more at the end. */
export const logsCommand: Register = (program, run) =>
  void program
    .command("logs")
    .description("the output of a deployment's build")
    .argument("<id>", "the deployment")
    .option("--follow", "go on until the build has ended")
    .action((id: string, options: { follow?: boolean }) => run((context) => logs(context, id, options.follow === true)));

/** Empty pages in a row after which the end is taken as reached: a log store may give a few before the first line. */
const EMPTY_PAGES = 3;

async function logs(context: Context, id: string, follow: boolean): Promise<ExitCode> {
  const { terminal, json, signal } = context;
  const api = context.api();
  const { deployment } = await api.deployment(id);
  if (deployment.reusedFrom !== null)
    terminal.note(
      `${deployment.id} was not built: it took over the build of ${deployment.reusedFrom}. See it:  shiplog logs ${deployment.reusedFrom}`,
    );

  const finder = buildErrorFinder();
  const lines: LogLine[] = [];
  let next: string | undefined;
  let empty = 0;
  for (let heard = Date.now(); ; ) {
    try {
      const page = await api.logs(deployment.id, next);
      heard = Date.now();
      for (const { message } of page.lines) for (const line of message.replace(/\n$/, "").split("\n")) finder.take(line);
      if (!json)
        for (const { message } of page.lines)
          terminal.result(
            message
              .replace(/\n$/, "")
              .split("\n")
              .map((line) => coloured(line, terminal.colours))
              .join("\n"),
          );
      else if (follow) for (const line of page.lines) terminal.document(line, "line");
      else lines.push(...page.lines);
      await terminal.taken();

      empty = page.lines.length > 0 ? 0 : empty + 1;
      if (page.done || (!follow && (page.next === null || empty >= EMPTY_PAGES))) break;
      next = page.next ?? next;
      if (page.lines.length === 0) await sleep(follow ? 1_000 : 100, undefined, { signal });
    } catch (error) {
      if (signal.aborted) {
        terminal.note(`Stopped reading. The build goes on. Read on:  shiplog logs ${deployment.id} --follow`);
        return exit.interrupted;
      }
      if (!follow || !isPassing(error) || Date.now() - heard > 60_000) throw error;
    }
  }
  if (json && !follow) terminal.document({ lines });
  const error = finder.found();
  if (!json && error !== undefined) showBuildError(terminal, error);
  return exit.reached;
}
