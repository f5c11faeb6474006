import { gunzipSync, gzipSync } from "node:zlib";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Commit } from "../../domain/kernel/chain.ts";
import { environmentShape } from "../../domain/projections/environment-view.ts";
import type { EnvironmentView } from "../../domain/projections/views.ts";
import { sha256 } from "../log/digest.ts";
import { noteRow } from "./notes.ts";

/** The row of an environment as it was right after one of its commits. */
export type Waypoint = Pick<Commit, "version" | "hash"> & { readonly view: EnvironmentView };

/** What of the table of views asks for them. */
export type Waypoints = ReturnType<typeof waypointNotes>;

/** What a waypoint's note is about begins so; the number of its shape and its stream follow. Stored for ever. */
export const WAYPOINTS = "waypoints/";

/** Whose a waypoint's note is. */
export const waypointsAbout = (about: string): { shape: number; stream: string } => {
  const [, shape = "", stream = ""] = /^waypoints\/(\d+)\/(.*)$/.exec(about) ?? [];
  return { shape: Number(shape), stream };
};

/** Commits of an environment from one waypoint to the next, about: some nine deployments. */
export const WAYPOINT_EVERY = 64;

/** Whether somebody who went from one version to another has come past where a waypoint is wanted. */
export const isWaypoint = (from: number, to: number): boolean => Math.floor(from / WAYPOINT_EVERY) < Math.floor(to / WAYPOINT_EVERY);

/**
 * Rows of environments as they were, beside the log, never in place of it: whoever asks for a moment in a long life folds the
 * commits since the one before that moment. Of another number of the row's shape they are not found; without them the stream is folded whole.
 */
export const waypointNotes = (client: DynamoDBDocumentClient, table: string) => {
  const notes = noteRow(client, table);
  const about = (stream: string): string => `${WAYPOINTS}${environmentShape}/${stream}`;

  return {
    /** The last one before a position; `undefined` where there is none, or not as it was written. */
    waypointBefore: async (stream: string, position: string): Promise<Waypoint | undefined> => {
      const { data } = await notes.query
        .row({ about: about(stream) })
        .lt({ kind: position })
        .go({ order: "desc", limit: 1 });
      return data[0] && waypointIn(data[0].value);
    },
    /** The first one after a position. */
    waypointAfter: async (stream: string, position: string): Promise<Waypoint | undefined> => {
      const { data } = await notes.query
        .row({ about: about(stream) })
        .gt({ kind: position })
        .go({ limit: 1 });
      return data[0] && waypointIn(data[0].value);
    },
    noteWaypoint: async ({ stream, version, hash, position }: Commit, view: EnvironmentView): Promise<void> => {
      const text = JSON.stringify({ version, hash, view });
      const value = JSON.stringify({ digest: sha256(text), gzip: gzipSync(text).toString("base64") });
      await notes.put({ about: about(stream), kind: position, value }).go();
    },
  };
};

/** `undefined` where it is not as it was written. */
export const waypointIn = (value: string): Waypoint | undefined => {
  try {
    const { digest, gzip } = JSON.parse(value) as { digest: string; gzip: string };
    const text = gunzipSync(Buffer.from(gzip, "base64")).toString();
    return sha256(text) === digest ? (JSON.parse(text) as Waypoint) : undefined;
  } catch {
    // cut or overwritten: as good as none
    return undefined;
  }
};
