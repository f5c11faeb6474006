import { liveKey, type ReleaseRow, releaseKey } from "../../blueprint/edge-table.ts";
import type { EdgeTable } from "../../engine/aws/edge-table.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import { GRACE_MS } from "../../engine/edge/grace.ts";
import { readReleaseRow, readRow, type Store } from "../../engine/edge/live-row.ts";
import type { Clock } from "../../engine/kit/clock.ts";

export type Ports = { readonly edgeTable: EdgeTable; readonly clock: Clock };
const TRIES = 30;

/**
 * Takes the row of a release that has ended out of the table, once no edge can have it as it was. One whose time is not over, because the
 * release was cut off, is given an end first: for visitors that is the same at once, and it says from when on the grace counts, however late
 * this is and however often it comes.
 *
 * @param flipped highest sequence that a flip had been asked for with when the release ended: a row with a higher one, or without
 *   an end, is of a flip that brings it live again
 * @returns whether there is no row any more
 */
export const takeRowOut = async ({ edgeTable, clock }: Ports, store: Store, release: string, flipped: number): Promise<boolean> => {
  const key = releaseKey(store.distribution, release);
  for (let tries = 1; ; tries++) {
    // before the row: what a flip writes after it was read makes another version
    const version = await edgeTable.version(store.table);
    const text = await edgeTable.get(store.table, key);
    if (text === undefined) return true;
    const row = readReleaseRow(text);
    if (row?.until === undefined || row.sequence > flipped) return false;
    const now = clock.now();
    const until = row.until * 1_000;
    if (until <= now && now - until < GRACE_MS) return false;
    const isOver = until <= now;
    const ending: ReleaseRow = { ...row, until: Math.floor(now / 1_000) };
    try {
      await edgeTable.update(store.table, version, isOver ? { puts: {}, deletes: [key] } : { puts: { [key]: JSON.stringify(ending) } });
      return isOver;
    } catch (error) {
      if (problemOf(error) !== "changed" || tries === TRIES) throw error;
      await clock.sleep(Math.min(20 * 2 ** tries, 1_000) * clock.random());
    }
  }
};

/** Whether documents come from there, although the log says otherwise: a flip died after it wrote so, and nothing has put it right. */
export const isSentTo = async ({ edgeTable }: Ports, { table, distribution }: Store, address: number): Promise<boolean> =>
  readRow(await edgeTable.get(table, liveKey(distribution)))?.address === address;
