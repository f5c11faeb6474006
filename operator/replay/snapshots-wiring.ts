import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { unbroken } from "../../engine/log/chain-broken.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { snapshotRows } from "../../engine/log/snapshot-rows.ts";
import { waypointRows } from "../../engine/views/waypoint-rows.ts";
import type { Ports } from "./snapshots.ts";

export type Names = { readonly eventsTable: string; readonly snapshotsTable: string; readonly viewsTable: string };

/** The ports of a replay of snapshots. It reads the log, and writes nothing but the table of snapshots and waypoints. */
export const wireSnapshots = (
  dynamodb: DynamoDBClient,
  { eventsTable, snapshotsTable, viewsTable }: Names,
  run: Omit<Ports, "rows" | "waypoints" | "read">,
): Ports => ({
  ...run,
  rows: snapshotRows(dynamodb, snapshotsTable),
  waypoints: waypointRows(dynamodb, viewsTable),
  read: unbroken(eventStore(dynamodb, eventsTable).read),
});
