import { type Commit, verifyChain } from "../../domain/kernel/chain.ts";
import { siteOf } from "../../domain/kernel/identity.ts";
import { emptyEnvironment } from "../../domain/projections/environment-view.ts";
import type { EnvironmentView } from "../../domain/projections/views.ts";
import { each } from "../../engine/kit/each.ts";
import { ChainBroken } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { sha256 } from "../../engine/log/digest.ts";
import { NEWEST } from "../../engine/log/read-back.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import { isWaypoint, WAYPOINT_EVERY, type Waypoint, type Waypoints } from "../../engine/views/waypoint-notes.ts";
import type { Ports } from "./ports.ts";

type Past = Pick<Ports, "read"> & { readonly views: Waypoints };
/** Of a stream whose chain breaks before the moment nothing is told; or all the same, to who reads the log row by row. */
type Broken = "refused" | "passed over";

/** Commits that are read at once where no waypoint is near, and waypoints that are written at once. */
const PAGE = 500;
const WIDTH = 8;

/**
 * How environments were, read from the waypoint before on, and no further than to the moment. Where that one is missing, or of another
 * past than the log's, the stream is folded from its beginning, and whoever comes next finds waypoints.
 */
export const environmentPast = ({ read, views }: Past, broken: Broken = "refused") => {
  /** `undefined` where the log does not have the commit that it starts from. @throws ChainBroken */
  const foldFrom = async (stream: string, end: string, start: Waypoint | undefined): Promise<EnvironmentView | undefined> => {
    const { site, environment } = siteOf(stream);
    let view = start?.view ?? emptyEnvironment(site, environment);
    let version = start?.version ?? 0;
    let isWhole = true;
    // most often the next waypoint is no further away
    let limit = start === undefined ? PAGE : WAYPOINT_EVERY;
    for (;;) {
      const from = Math.max(version - 1, 0);
      const page = await read(stream, from, limit + version - from);
      const commits = page.filter(({ position }) => position < end);
      const fault = verifyChain(sha256, commits, from);
      if (fault !== undefined && broken === "refused") throw new ChainBroken(fault);
      isWhole &&= fault === undefined;
      if (start !== undefined && version === start.version && commits[0]?.hash !== start.hash) return undefined;
      const further = commits.filter((commit) => commit.version > version);
      limit = PAGE;
      const passed: [Commit, EnvironmentView][] = [];
      for (const commit of further) {
        view = foldRow("environments", view, eventsOf(commit)) ?? view;
        // as it is now: what comes next changes it in place
        if (isWhole && isWaypoint(version, commit.version)) passed.push([commit, structuredClone(view)]);
        version = commit.version;
      }
      await each(passed, WIDTH, (waypoint) => views.noteWaypoint(...waypoint));
      if (further.length === 0 || commits.length < page.length) return view;
    }
  };

  return {
    /** Right before a position. @throws ChainBroken where that is refused */
    upTo: async (stream: string, position: string): Promise<EnvironmentView> => {
      const start = await views.waypointBefore(stream, position);
      const found = start && (await foldFrom(stream, position, start));
      return found ?? ((await foldFrom(stream, position, undefined)) as EnvironmentView);
    },
    /** A version after which everything lies behind a position: who reads back begins there, and not at the end. */
    above: async (stream: string, position: string): Promise<number> => {
      const after = await views.waypointAfter(stream, position);
      if (after === undefined) return NEWEST;
      const [commit] = await read(stream, after.version - 1, 1);
      return commit?.hash === after.hash ? after.version : NEWEST;
    },
  };
};
