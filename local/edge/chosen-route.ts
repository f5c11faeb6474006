import { ReleaseRow } from "../../blueprint/edge-table.ts";
import type { Release } from "./answer.ts";
import type { Routed } from "./router-runtime.ts";

/**
 * The release that the router sent a request to: that of the route which it looked up last, since it goes on to what is live
 * where a named one says nothing. `undefined` where the table says nothing.
 */
export const chosenRelease = ({ reads, request }: Routed): Release | undefined => {
  if (request.headers["x-shiplog-release"]?.value === "live") return undefined;
  const last = reads.findLast(({ key }) => !key.startsWith("files:"))?.value;
  const row = last === undefined ? undefined : ReleaseRow.safeParse(jsonIn(last)).data;
  return row && { deploymentId: row.release, sequence: row.sequence };
};

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
