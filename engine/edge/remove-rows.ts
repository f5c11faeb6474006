import { MAX_CHANGES } from "../../blueprint/edge-table.ts";
import type { EdgeTable } from "../aws/edge-table.ts";
import { problemOf } from "../aws/errors.ts";
import type { Clock } from "../kit/clock.ts";

export type Ports = { readonly edgeTable: EdgeTable; readonly clock: Pick<Clock, "sleep" | "random"> };
const TRIES = 30;

/** Takes rows out of a table, those that are there, and answers how many these were. Others may change the same table meanwhile. */
export const removeRows = async (ports: Ports, table: string, keys: readonly string[]): Promise<number> => {
  let removed = 0;
  for (let from = 0; from < keys.length; from += MAX_CHANGES) removed += await remove(ports, table, keys.slice(from, from + MAX_CHANGES));
  return removed;
};

const remove = async ({ edgeTable, clock }: Ports, table: string, keys: readonly string[]): Promise<number> => {
  for (let tries = 1; ; tries++) {
    // before the rows: what somebody writes after they were read makes another version
    const version = await edgeTable.version(table);
    const deletes: string[] = [];
    for (const key of keys) if ((await edgeTable.get(table, key)) !== undefined) deletes.push(key);
    if (deletes.length === 0) return 0;
    try {
      await edgeTable.update(table, version, { puts: {}, deletes });
      return deletes.length;
    } catch (error) {
      if (problemOf(error) !== "changed" || tries === TRIES) throw error;
      await clock.sleep(Math.min(20 * 2 ** tries, 1_000) * clock.random());
    }
  }
};
