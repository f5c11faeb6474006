import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { noteRow } from "./notes.ts";
import { WAYPOINTS, type Waypoint, waypointIn } from "./waypoint-notes.ts";

/** One as it lies there. `waypoint`: none where it is not as it was written. */
export type StoredWaypoint = { readonly position: string; readonly waypoint: Waypoint | undefined };

export type WaypointRows = ReturnType<typeof waypointRows>;

/** Waypoints in bulk, of whatever shape: for who compares all of them with the log, or drops them. */
export const waypointRows = (dynamodb: DynamoDBClient, table: string) => {
  const notes = noteRow(DynamoDBDocumentClient.from(dynamodb), table);
  return {
    /** What they are about: each stream, once for each shape that its waypoints have. It looks at each row of the table. */
    about: async (): Promise<readonly string[]> => {
      const { data } = await notes.scan
        .where(({ about }, { begins }) => begins(about, WAYPOINTS))
        .go({ pages: "all", attributes: ["about"], consistent: true });
      return [...new Set(data.map(({ about }) => about))].sort();
    },
    /** In the log's order. @param about as `about` names it */
    of: async (about: string): Promise<readonly StoredWaypoint[]> => {
      const { data } = await notes.query.row({ about }).go({ pages: "all", consistent: true });
      return data.map(({ kind, value }) => ({ position: kind, waypoint: waypointIn(value) }));
    },
    /** Removes all of them, as often as it is asked. @returns how many there were */
    remove: async (about: string): Promise<number> => {
      const { data } = await notes.query.row({ about }).go({ pages: "all", attributes: ["about", "kind"], consistent: true });
      for (const { kind } of data) await notes.delete({ about, kind }).go();
      return data.length;
    },
  };
};
