import { ReleaseRow } from "../../blueprint/edge-table.ts";
import type { Release } from "./answer.ts";
import type { Routed } from "./router-runtime.ts";

/**
 * The release that the router sent a request to: the one that it named, and where it names none, that of the only route which it
 * looked up. `undefined` where the table says nothing.
 */
export const chosenRelease = ({ reads, request }: Routed): Release | undefined => {
  if (request.headers["x-shiplog-release"]?.value === "live") return undefined;
  const named = request.headers["x-shiplog-deployment"]?.value;
  const rows = reads.flatMap(({ key, value }) => (key.startsWith("files:") ? [] : (ReleaseRow.safeParse(jsonIn(value)).data ?? [])));
  const row = rows.findLast(({ release }) => named === undefined || release === named);
  return row && { deploymentId: row.release, sequence: row.sequence };
};

const jsonIn = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
};
