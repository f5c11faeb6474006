import { createHash } from "node:crypto";
import * as z from "zod";
import { type PublicSet, Route } from "../domain/environment/route.ts";
import { DeploymentId } from "../domain/kernel/identity.ts";

/**
 * The table that an edge looks up which release answers, as `edge-router.js` reads it: a CloudFront KeyValueStore, whose keys
 * have at most 512 bytes and whose values at most 1 KB. Every key names its distribution, since several share a table.
 *
 * - `live:<distribution>`: the release that documents come from, and all that names no other;
 * - `release:<distribution>:<id>`: a release that what names it is sent to, until its time is over;
 * - `files:<distribution>:<set>:<row>`: digests of the paths of a set of public files that does not fit into its route.
 */
export const liveKey = (distribution: string): string => `live:${distribution}`;
export const releaseKey = (distribution: string, release: string): string => `release:${distribution}:${release}`;
export const filesKey = (distribution: string, set: string, row: number): string => `files:${distribution}:${set}:${row}`;

/** Bytes of UTF-8. */
export const MAX_VALUE = 1_024;
/** Puts and deletes of one request; it is done whole or not at all. */
export const MAX_CHANGES = 50;
/** All keys and values together. */
export const MAX_TABLE = 5 * 1_024 * 1_024;

/**
 * What documents come from that have no bucket of a candidate. `candidate`: a release with a row of its own that `percent` of the
 * visitors are sent to; a visitor's bucket, 0 to 999, is of the candidate's `sequence` alone. No flip writes one: rollouts will.
 */
export const LiveRow = Route.extend({
  candidate: z.object({ release: DeploymentId, sequence: z.number().int().positive(), percent: z.number().min(0).max(100) }).optional(),
});
/** `until`: seconds since 1970, from which on it is sent to what is live; absent for as long as it is live itself. */
export const ReleaseRow = Route.extend({ until: z.number().int().positive().optional() });
export type LiveRow = z.infer<typeof LiveRow>;
export type ReleaseRow = z.infer<typeof ReleaseRow>;

/** The header that the router writes, and that the edge keeps answers apart by: the number of the release's address. */
export const RELEASE_HEADER = "x-shiplog-release";
/** Below the assets: the sets of public files, each in a folder named by its digest. No path of a visitor leads there. */
export const PUBLIC_SETS = "_public";

/** Eight hexadecimal digits of a decoded path below the site's root, without a slash before it. */
export const pathDigest = (path: string): string => createHash("sha256").update(path).digest("hex").slice(0, 8);

/** Digests that a route has room for besides its addresses: paths of few files need no second look at the table. */
const INLINE = 24;
/** Digests that a row takes, each with its comma. */
const ROW = 110;
/** Rows of one set: beyond, a release is refused. */
export const MAX_ROWS = 400;

/** The set of public files as routes and the table name it. `undefined`: more files than `MAX_ROWS` rows take. */
export const publicSetOf = (set: string, paths: readonly string[]): { files: PublicSet; rows: readonly string[] } | undefined => {
  const digests = [...new Set(paths.map(pathDigest))].sort();
  if (digests.length <= INLINE) return { files: { set, rows: 0, paths: digests.join(",") }, rows: [] };
  for (let count = Math.ceil(digests.length / ROW); count <= MAX_ROWS; count++) {
    const rows = Array.from({ length: count }, (): string[] => []);
    for (const digest of digests) rows[Number.parseInt(digest, 16) % count]?.push(digest);
    if (rows.every((row) => row.length <= ROW)) return { files: { set, rows: count }, rows: rows.map((row) => row.join(",")) };
  }
  return undefined;
};
