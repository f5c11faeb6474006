import { counted } from "../../domain/kernel/counted.ts";
import type { Context } from "../context.ts";
import { type ExitCode, exit } from "../failure.ts";
import { sayLog } from "../say-log.ts";
import type { SnapshotsRebuilding } from "../snapshots-rebuilding.ts";
import { plain } from "../terminal.ts";

/** Drops what is in the table of snapshots: engines make again what they need. */
export async function dropSnapshots({ terminal, json }: Context, rebuilding: SnapshotsRebuilding): Promise<ExitCode> {
  const dropped = await rebuilding.drop();
  const { streams, rows, left, seconds } = dropped;
  if (json) terminal.document(dropped);
  else
    terminal.result(
      `snapshots: ${counted(rows, "row")} of ${counted(streams, "stream")} removed (${seconds.toFixed(1)} s); the engine makes again what it needs`,
    );
  if (left > 0) terminal.note(`Another run that began meanwhile removes the rest of ${counted(left, "stream")}.`);
  return exit.reached;
}

/** Compares the snapshots with the log. @param from what the log itself is verified by */
export async function compareSnapshots({ terminal, json }: Context, rebuilding: SnapshotsRebuilding, from: string): Promise<ExitCode> {
  const log = await rebuilding.verifyLog(from);
  const compared = await rebuilding.verify();
  const { streams, states, causes, waypoints, foreign, differences, seconds } = compared;
  if (json) terminal.document({ ...compared, log });
  else {
    for (const { stream, what } of differences) terminal.result(plain(`${stream}: ${what}`));
    if (streams + waypoints === 0) terminal.result("nothing is kept: no stream is long enough yet, or all of it was dropped");
    else if (differences.length === 0)
      terminal.result(
        `${counted(states + waypoints - foreign, "state")} and ${counted(causes, "row")} of handled causes, ${counted(streams, "stream")}: each is what the log says (${seconds.toFixed(1)} s)`,
      );
  }
  if (!json) terminal.note(sayLog(log, from));
  if (foreign > 0) terminal.note(`${counted(foreign, "state")} of another release: this one takes none of them.`);
  if (differences.length === 0) return exit.reached;
  const places = new Set(differences.map(({ stream }) => stream)).size;
  terminal.note(`Of ${counted(places, "stream")} the snapshots are not what the log says.`);
  terminal.note("Drop all of them, so that the engine makes them again, with:  shiplog replay snapshots");
  return exit.failed;
}
