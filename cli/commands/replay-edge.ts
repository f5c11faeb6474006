import { counted } from "../../domain/kernel/counted.ts";
import type { Context } from "../context.ts";
import type { EdgeRebuilding } from "../edge-rebuilding.ts";
import { type ExitCode, exit } from "../failure.ts";
import { sayLog } from "../say-log.ts";
import { plain } from "../terminal.ts";

type Replayed = Awaited<ReturnType<EdgeRebuilding["replay"]>>;

/** Writes what the edges' tables lack or have otherwise than the log, and deletes what it does not have. */
export async function replayEdge({ terminal, json }: Context, rebuilding: EdgeRebuilding): Promise<ExitCode> {
  const replayed = await rebuilding.replay();
  const { rows, environments, written, deleted, differences, seconds } = replayed;
  if (json) terminal.document(replayed);
  else
    terminal.result(
      `edge: ${counted(rows, "row")} of ${counted(environments, "environment")} as the log says: ${written.length} written, ${deleted.length} deleted (${seconds.toFixed(1)} s)`,
    );
  if (!json) {
    for (const [what, keys] of [
      ["written", written],
      ["deleted", deleted],
    ] as const)
      if (keys.length > 0) terminal.note(plain(`${what}: ${named(keys)}`));
  }
  if (!json) for (const { place, key, what } of differences) terminal.note(plain(`${place} ${key} was left: ${what}.`));
  tellRest(terminal, replayed);
  return differences.length === 0 ? exit.reached : exit.failed;
}

/** Compares the edges' tables with the log. @param from what the log itself is verified by */
export async function compareEdge({ terminal, json }: Context, rebuilding: EdgeRebuilding, from: string): Promise<ExitCode> {
  const log = await rebuilding.verifyLog(from);
  const compared = await rebuilding.verify();
  const { rows, environments, differences, seconds } = compared;
  if (json) terminal.document({ ...compared, log });
  else {
    for (const { place, key, what } of differences) terminal.result(plain(`${place} ${key}: ${what}`));
    if (differences.length === 0)
      terminal.result(
        `${counted(rows, "row")} of ${counted(environments, "environment")}: each is what the log says (${seconds.toFixed(1)} s)`,
      );
    terminal.note(sayLog(log, from));
  }
  tellRest(terminal, compared);
  if (differences.length === 0) return exit.reached;
  terminal.note(`${counted(differences.length, "row")} ${differences.length === 1 ? "is" : "are"} not what the log says.`);
  terminal.note("Put right what can be with:  shiplog replay edge");
  return exit.failed;
}

/** Keys that are named. */
const MAX_NAMED = 10;
const named = (keys: readonly string[]): string =>
  `${keys.slice(0, MAX_NAMED).join(", ")}${keys.length > MAX_NAMED ? ` and ${keys.length - MAX_NAMED} more` : ""}`;

const tellRest = (terminal: Context["terminal"], { strangers, unlisted }: Replayed): void => {
  if (strangers.length > 0) terminal.note(plain(`Of no environment that is declared, and left as they are: ${named(strangers)}.`));
  for (const table of unlisted)
    terminal.note(plain(`Rows that the log does not have could not be looked for: these credentials may not list the keys of ${table}.`));
};
