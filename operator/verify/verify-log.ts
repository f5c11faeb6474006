import { counted } from "../../domain/kernel/counted.ts";
import type { SealFault } from "../../domain/kernel/seal.ts";
import { type SealedHeads, verifyHistory } from "../../engine/archive/sealed-history.ts";
import { type Ports as TablePorts, verifyTable } from "../../engine/archive/verify-table.ts";
import type { RowFault } from "../../engine/log/row-checker.ts";
import type { TableRows } from "../../engine/log/table-rows.ts";
import { againstSeals, type Ports as SealPorts } from "./against-seals.ts";

export type Ports = Omit<SealPorts, "rows"> &
  Pick<TablePorts, "itemOf"> & {
    readonly rows: TableRows;
    /** one line of progress */
    tell(line: string): void;
    /** it stops soon after this is aborted */
    readonly signal?: AbortSignal | undefined;
  };

export type LogVerified = {
  /** how many verified, and the commits in them */
  readonly seals: number;
  readonly commits: number;
  /** position up to which something is sealed */
  readonly until: string | null;
  /** commits that seals by time passed over: the next seal has them */
  readonly passedOver: number;
  /** the first fault of sealed history */
  readonly fault: SealFault | null;
  /** of the event table */
  readonly streams: number;
  readonly rows: number;
  /** in no seal, and the time of the oldest: their chain alone vouches for them */
  readonly unsealed: { readonly commits: number; readonly since: string | null };
  /** the first fault of each stream of the event table that has one */
  readonly faults: readonly RowFault[];
};

const TELL_EVERY = 10_000;

/**
 * Verifies the whole log of an engine: every seal with its segment, then every row of the event table by its stream's
 * chain and against what was sealed. It reads both once, so it costs what the log is long.
 */
export const verifyLog = async (ports: Ports): Promise<LogVerified> => {
  const { history, key, tell, signal } = ports;
  const heads: SealedHeads = new Map();
  const sealed = await verifyHistory(history, key, heads, ({ seals, commits }) => {
    signal?.throwIfAborted();
    tell(`${counted(commits, "commit")} of ${counted(seals, "seal")} verified`);
  });
  let told = 0;
  const pause = (rows: number): void => {
    signal?.throwIfAborted();
    if (rows - told < TELL_EVERY) return;
    told = rows;
    tell(`${counted(rows, "row")} of the event table verified`);
  };
  const { streams, rows, unsealed, faults } = await verifyTable({ ...ports, pause }, heads);
  return { ...sealed, streams, rows, unsealed, faults: await againstSeals(ports, sealed.seals, faults) };
};
