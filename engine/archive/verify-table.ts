import type { Commit } from "../../domain/kernel/chain.ts";
import type { SealedHead } from "../../domain/kernel/seal.ts";
import { each } from "../kit/each.ts";
import type { Item } from "../log/codec.ts";
import { DAYS, daysWithoutName, isCommit } from "../log/days.ts";
import { type RowChecker, type RowFault, rowChecker, streamOf } from "../log/row-checker.ts";
import type { TableRows } from "../log/table-rows.ts";
import type { SealedHeads } from "./sealed-history.ts";

export type Ports = {
  readonly rows: TableRows;
  /** the item that a commit is written as */
  itemOf(commit: Commit): Item;
  /** called after each page with the rows so far; what it throws ends the walk */
  pause(rows: number): void;
};

export type TableVerified = {
  readonly streams: number;
  readonly rows: number;
  /** what is in no seal, and the time of the oldest: its chain alone vouches for it */
  readonly unsealed: { readonly commits: number; readonly since: string | null };
  /** the first fault of each stream that has one */
  readonly faults: ReadonlyMap<string, RowFault>;
};

/** Parts of the table that are walked at once. */
const PARTS = 4;

/**
 * Walks the whole event table and checks each stream from its first version to its end, up to the last sealed version
 * against what was sealed: the hash there stands for every commit before it. Memory grows with the streams; the cost is
 * that of reading the table once.
 *
 * @param heads where each stream stood when it was last sealed; read before the table
 */
export const verifyTable = async ({ rows, itemOf, pause }: Ports, heads: SealedHeads): Promise<TableVerified> => {
  const missing = new Set(heads.keys());
  const faults = new Map<string, RowFault>();
  /** the first commit that was met of each day */
  const days = new Map<string, { stream: string; version: number }>();
  const unsealed = { commits: 0, since: null as string | null };
  let streams = 0;
  let count = 0;
  const note = (fault: RowFault): void => {
    if (!faults.has(fault.stream)) faults.set(fault.stream, fault);
  };

  const walk = async (part: number): Promise<void> => {
    let current: { stream: string; checker: RowChecker } | undefined;
    const finish = (): void => {
      const end = current?.checker.end();
      if (end !== undefined) note(end);
    };
    const take = (item: Item): void => {
      const stream = streamOf(item);
      const head = heads.get(stream);
      if (current?.stream !== stream) {
        finish();
        streams += 1;
        missing.delete(stream);
        current = { stream, checker: rowChecker(stream, head, itemOf) };
      }
      count += 1;
      if (!isSealed(head, Number(item.sk?.S))) {
        unsealed.commits += 1;
        const at = item.at?.S ?? "";
        if (unsealed.since === null || at < unsealed.since) unsealed.since = at;
      }
      const day = item.gsi1pk?.S?.slice(0, 10) ?? "";
      if (!days.has(day)) days.set(day, { stream, version: Number(item.sk?.S) });
      if (faults.has(stream)) return;
      const checked = current.checker.check(item);
      if ("reason" in checked) note(checked);
    };
    for await (const page of rows.scan(part, PARTS)) {
      for (const item of page) if (isCommit(item)) take(item);
      pause(count);
    }
    finish();
  };

  await each([...Array(PARTS).keys()], PARTS, walk);
  for (const stream of missing) {
    const gone = rowChecker(stream, heads.get(stream), itemOf).end();
    if (gone !== undefined) note(gone);
  }
  const sure = await confirmed({ rows, itemOf }, heads, faults);
  // a day is named before its first commit is written, so the names are read after the rows
  for (const day of await daysWithoutName(rows.stream(DAYS), days.keys())) {
    const { stream, version } = days.get(day) as { stream: string; version: number };
    const reason = `its day ${day} has no name in the event table: no reader of the log finds it`;
    if (!sure.has(stream)) sure.set(stream, { stream, version, fields: ["gsi1pk"], reason });
  }
  return { streams, rows: count, unsealed, faults: sure };
};

const isSealed = (head: SealedHead | undefined, version: number): boolean =>
  head !== undefined && version <= head.version && !head.missing.some(({ from, to }) => from <= version && version <= to);

/** A stream that is written to while it is walked, or that the walk met in two pieces, is read once more by itself. */
const confirmed = async (
  { rows, itemOf }: Pick<Ports, "rows" | "itemOf">,
  heads: SealedHeads,
  suspected: ReadonlyMap<string, RowFault>,
): Promise<Map<string, RowFault>> => {
  const faults = new Map<string, RowFault>();
  await each([...suspected.keys()], PARTS, async (stream) => {
    const fault = await streamFault({ rows, itemOf }, stream, heads.get(stream));
    if (fault !== undefined) faults.set(stream, fault);
  });
  return faults;
};

/** The first fault of one stream. */
export const streamFault = async (
  { rows, itemOf }: { readonly rows: Pick<TableRows, "stream">; itemOf(commit: Commit): Item },
  stream: string,
  head: { readonly version: number; readonly hash: string } | undefined,
): Promise<RowFault | undefined> => {
  const checker = rowChecker(stream, head, itemOf);
  for await (const item of rows.stream(stream)) {
    const checked = checker.check(item);
    if ("reason" in checked) return checked;
  }
  return checker.end();
};
