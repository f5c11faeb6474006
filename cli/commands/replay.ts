import { randomUUID } from "node:crypto";
import { counted } from "../../domain/kernel/counted.ts";
import type { Context, Register } from "../context.ts";
import { CliError, type ExitCode, exit, usageError } from "../failure.ts";
import type { Rebuilding } from "../rebuilding.ts";
import { sayLog } from "../say-log.ts";
import { compareEdge, replayEdge } from "./replay-edge.ts";
import { compareSnapshots, dropSnapshots } from "./replay-snapshots.ts";

type Options = { readonly verify?: boolean; readonly from?: string; readonly restart?: boolean };

/** Builds read models again from the log, or compares them with it. */
export const replayCommand: Register = (program, run) =>
  void program
    .command("replay")
    .description(
      "build a read model again from the log, beside the live one, and switch; or write the edges' tables again, or drop the engine's snapshots. It sends nothing",
    )
    .argument(
      "<view>",
      "name of a read model (deployments, environments …), all for each of them, edge for the edges' tables, or snapshots for what the engine keeps of its streams",
    )
    .option("--verify", "only verify the log as `audit verify` does and compare the live rows with it; exit code 5 where one differs")
    .option("--from <source>", "segments (as far as the log is sealed, the table for the rest) or table", "segments")
    .option("--restart", "begin anew instead of going on with one that was cut off")
    .action((view: string, options: Options) => run((context) => replay(context, view, options)));

async function replay(context: Context, view: string, { verify = false, from = "segments", restart = false }: Options): Promise<ExitCode> {
  if (from !== "segments" && from !== "table") throw usageError(`--from "${from}" is neither segments nor table.`);
  if (verify && restart) throw usageError("--verify changes nothing: there is nothing to --restart.");
  if (view === "edge") return edge(context, { verify, from, restart });
  if (view === "snapshots") return snapshots(context, { verify, from, restart });
  const { openRebuilding, viewNames } = await import("../rebuilding.ts");
  const views = viewNames.filter((name) => view === "all" || view === name);
  if (views.length === 0)
    throw usageError(`There is no read model "${view}".`, `Name one of ${viewNames.join(", ")}, all for each of them, edge or snapshots.`);
  // AWS's clients take longer to load than most commands run
  const rebuilding = await openRebuilding(context, randomUUID());
  try {
    return verify ? await compare(context, rebuilding, { views, from }) : await rebuild(context, rebuilding, { views, from, restart });
  } catch (error) {
    if (!context.signal.aborted) throw error;
    if (verify) throw new CliError(exit.interrupted, "interrupted", "Interrupted. Nothing was changed.", { cause: error });
    throw new CliError(exit.interrupted, "interrupted", "Interrupted. No reader sees rows that are half made.", {
      next: `Go on where it was with:  shiplog replay ${view}${from === "segments" ? "" : ` --from ${from}`}`,
      cause: error,
    });
  } finally {
    rebuilding.close();
  }
}

async function edge(context: Context, { verify, from, restart }: Required<Options>): Promise<ExitCode> {
  if (restart) throw usageError("A replay of the edge leaves nothing half made: there is nothing to --restart.");
  const { openEdgeRebuilding } = await import("../edge-rebuilding.ts");
  const rebuilding = await openEdgeRebuilding(context);
  try {
    return verify ? await compareEdge(context, rebuilding, from) : await replayEdge(context, rebuilding);
  } catch (error) {
    if (!context.signal.aborted) throw error;
    const left = verify ? "Nothing was changed." : "What was written is what the log says.";
    throw new CliError(exit.interrupted, "interrupted", `Interrupted. ${left}`, { cause: error });
  } finally {
    rebuilding.close();
  }
}

async function snapshots(context: Context, { verify, from, restart }: Required<Options>): Promise<ExitCode> {
  if (restart) throw usageError("Snapshots are dropped whole each time: there is nothing to --restart.");
  const { openSnapshotsRebuilding } = await import("../snapshots-rebuilding.ts");
  const rebuilding = await openSnapshotsRebuilding(context, randomUUID());
  try {
    return verify ? await compareSnapshots(context, rebuilding, from) : await dropSnapshots(context, rebuilding);
  } catch (error) {
    if (!context.signal.aborted) throw error;
    if (verify) throw new CliError(exit.interrupted, "interrupted", "Interrupted. Nothing was changed.", { cause: error });
    throw new CliError(exit.interrupted, "interrupted", "Interrupted. Until it is done, the engine folds these streams whole.", {
      next: "Finish it with:  shiplog replay snapshots",
      cause: error,
    });
  } finally {
    rebuilding.close();
  }
}

async function rebuild(
  { terminal, json }: Context,
  rebuilding: Rebuilding,
  wanted: Parameters<Rebuilding["rebuild"]>[0],
): Promise<ExitCode> {
  const rebuilt = await rebuilding.rebuild(wanted);
  const { views, generation, events, rows, seconds, removed, segments, sampled } = rebuilt;
  if (json) terminal.document(rebuilt);
  else if (events === 0 && rebuilt.resumed)
    terminal.result(`${views.join(", ")}: generation ${generation} was live already; ${counted(removed, "old row")} removed`);
  else
    terminal.result(
      `${views.join(", ")}: ${counted(rows, "row")} from ${counted(events, "event")} (${counted(segments, "segment")}) in ${seconds.toFixed(1)} s, each compared with the log; generation ${generation} is live, ${counted(removed, "old row")} removed`,
    );
  // with --json too: whoever reads no field of it must not miss it
  for (const { stream, version, reason } of sampled.faults)
    terminal.note(`The event table was changed behind Shiplog's back: ${stream} version ${version}: ${reason}.`);
  terminal.note(
    sampled.faults.length > 0
      ? `${wanted.from === "table" ? "The rows are built from it all the same" : "What is sealed of it was read from the segments"}. Find every such commit with:  shiplog audit verify`
      : `${counted(sampled.streams, "stream")} of the event table sampled: as they were written. Every row is verified by:  shiplog replay all --verify`,
  );
  return exit.reached;
}

async function compare(
  { terminal, json }: Context,
  rebuilding: Rebuilding,
  wanted: Parameters<Rebuilding["verify"]>[0],
): Promise<ExitCode> {
  const log = await rebuilding.verifyLog(wanted.from);
  const compared = await rebuilding.verify(wanted);
  const { rows, differences, outdated, events, seconds } = compared;
  if (json) terminal.document({ ...compared, log });
  else {
    for (const { stream, what } of differences) terminal.result(`${stream}: ${what}`);
    if (differences.length === 0)
      terminal.result(`${counted(rows, "row")}, ${counted(events, "event")}: each row is what the log says (${seconds.toFixed(1)} s)`);
    terminal.note(sayLog(log, wanted.from));
  }
  if (outdated > 0) terminal.note(`${counted(outdated, "row")} of another release: made anew when they are read.`);
  if (differences.length === 0) return exit.reached;
  const are = differences.length === 1 ? "is" : "are";
  terminal.note(`${counted(differences.length, "row")} of ${rows} ${are} not what the log says.`);
  terminal.note(`Build them again with:  shiplog replay ${wanted.views.length === 1 ? wanted.views[0] : "all"}`);
  return exit.failed;
}
