import type { Waypoints } from "../../engine/views/waypoint-notes.ts";

/** Of environments whose life is short. */
export const noWaypoints: Waypoints = {
  waypointBefore: async () => undefined,
  waypointAfter: async () => undefined,
  noteWaypoint: async () => undefined,
};
