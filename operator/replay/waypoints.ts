import type { Commit } from "../../domain/kernel/chain.ts";
import { environmentShape } from "../../domain/projections/environment-view.ts";
import { each } from "../../engine/kit/each.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { foldRow, modelOf } from "../../engine/views/read-models.ts";
import { waypointsAbout } from "../../engine/views/waypoint-notes.ts";
import type { StoredWaypoint, WaypointRows } from "../../engine/views/waypoint-rows.ts";
import { canonical } from "./compare.ts";

export type Ports = {
  readonly waypoints: WaypointRows;
  /** the commits of a stream after a version, strongly consistent; throws `ChainBroken` */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  /** it stops soon after this is aborted */
  readonly signal?: AbortSignal | undefined;
};

export type WaypointsVerified = {
  readonly waypoints: number;
  /** of them: those of another shape, which only other releases take */
  readonly foreign: number;
  readonly differences: readonly { readonly stream: string; readonly what: string }[];
};

const WIDTH = 8;

/** Compares rows of environments as they were with the log, and changes nothing. */
export const verifyWaypoints = async ({ waypoints, read, signal }: Ports): Promise<WaypointsVerified> => {
  const differences: { stream: string; what: string }[] = [];
  const sums = { waypoints: 0, foreign: 0 };
  await each(await waypoints.about(), WIDTH, async (about) => {
    signal?.throwIfAborted();
    const { shape, stream } = waypointsAbout(about);
    const found = await waypoints.of(about);
    sums.waypoints += found.length;
    if (shape !== environmentShape) sums.foreign += found.length;
    // after the waypoints: none of them is of a commit that is not there yet
    else for (const what of waypointFaults(stream, found, await read(stream, 0))) differences.push({ stream, what });
  });
  return { ...sums, differences };
};

/** Removes all that there are: whoever asks for a moment makes them again, and who has read one before may still leave what follows from it. */
export const dropWaypoints = async ({ waypoints, signal }: Omit<Ports, "read">): Promise<{ streams: readonly string[]; rows: number }> => {
  const all = await waypoints.about();
  let rows = 0;
  await each(all, WIDTH, async (about) => {
    signal?.throwIfAborted();
    const gone = await waypoints.remove(about);
    rows += gone;
  });
  return { streams: [...new Set(all.map((about) => waypointsAbout(about).stream))].sort(), rows };
};

/** What is wrong with a stream's waypoints, a sentence each. @param commits all of the stream, read after them */
const waypointFaults = (stream: string, found: readonly StoredWaypoint[], commits: readonly Commit[]): string[] => {
  const faults: string[] = [];
  let view = modelOf("environments").begin(stream);
  let version = 0;
  for (const { position, waypoint } of found) {
    const fault = faultOf(position, waypoint, commits);
    if (fault !== undefined || waypoint === undefined) {
      faults.push(fault ?? "");
      continue;
    }
    for (const commit of commits.slice(version, waypoint.version)) view = foldRow("environments", view, eventsOf(commit)) ?? view;
    version = Math.max(version, waypoint.version);
    if (canonical(JSON.parse(JSON.stringify(view))) !== canonical(waypoint.view))
      faults.push(`its row as of version ${waypoint.version} is not what the log says`);
  }
  return faults;
};

const faultOf = (position: string, waypoint: StoredWaypoint["waypoint"], commits: readonly Commit[]): string | undefined => {
  if (waypoint === undefined) return `its row as of position ${position} is not as it was written`;
  const { version, hash } = waypoint;
  const commit = commits[version - 1];
  if (commit === undefined) return `it has a row as of version ${version}, and the log has ${commits.length} versions`;
  if (commit.hash !== hash) return `its row as of version ${version} is not of the commit that version ${version} is in the log`;
  return commit.position === position
    ? undefined
    : `its row as of version ${version} lies at position ${position}, and the commit does not`;
};
