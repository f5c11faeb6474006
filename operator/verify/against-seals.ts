import type { KeyObject } from "node:crypto";
import type { Commit } from "../../domain/kernel/chain.ts";
import { type SealManifest, streamsOf } from "../../domain/kernel/seal.ts";
import { type SealedHistory, verifiedManifests } from "../../engine/archive/sealed-history.ts";
import { commitIn, fetchSegment, linesOf } from "../../engine/archive/segment-file.ts";
import { type Item, sortKey } from "../../engine/log/codec.ts";
import { are, differing, listed, type RowFault } from "../../engine/log/row-checker.ts";
import type { TableRows } from "../../engine/log/table-rows.ts";

export type Ports = {
  readonly history: SealedHistory;
  readonly key: KeyObject;
  readonly rows: Pick<TableRows, "stream">;
  itemOf(commit: Commit): Item;
};

/** Streams that are compared field by field; of others it is only said where their chain breaks. */
const MAX_STREAMS = 64;

/**
 * Compares each row of streams that have a fault with the commit that was sealed: which version differs first, and in
 * what. A page of each stream is in memory, and only segments that name one of them are read. What is as it was sealed
 * keeps its fault: it lies behind the last seal.
 *
 * @param seals how many of them verified: no more are read
 */
export const againstSeals = async (
  { history, key, rows, itemOf }: Ports,
  seals: number,
  faults: ReadonlyMap<string, RowFault>,
): Promise<RowFault[]> => {
  const found = new Map(faults);
  const open = new Map([...faults.keys()].slice(0, MAX_STREAMS).map((stream) => [stream, rows.stream(stream)]));
  /** rows that were passed on the way to a later one: a seal by time could pass over what came late */
  const passed = new Map<string, Item>();
  const rowOf = async (commit: Commit, cursor: AsyncGenerator<Item>): Promise<Item | undefined> => {
    const sk = sortKey(commit.version);
    const before = passed.get(`${commit.stream} ${sk}`);
    if (before !== undefined) return before;
    for (;;) {
      const { value: item } = await cursor.next();
      if (item === undefined || !isVersion(item) || String(item.sk?.S) >= sk) return item;
      passed.set(`${commit.stream} ${item.sk?.S}`, item);
    }
  };
  const compare = async (commit: Commit, seal: number): Promise<void> => {
    const cursor = open.get(commit.stream);
    if (cursor === undefined) return;
    const fault = sealedFault(commit, await rowOf(commit, cursor), itemOf(commit), seal);
    if (fault === undefined) return;
    found.set(commit.stream, fault);
    await close(commit.stream);
  };
  const compareAll = async (manifest: SealManifest): Promise<void> => {
    const segment = await fetchSegment(history.open, manifest);
    try {
      for await (const lines of linesOf(segment))
        for (const line of lines) {
          const commit = commitIn(line);
          if (commit !== undefined) await compare(commit, manifest.number);
        }
    } finally {
      await segment.close();
    }
  };
  const close = async (stream: string): Promise<void> => {
    await open.get(stream)?.return(undefined);
    open.delete(stream);
  };

  for await (const manifest of seals === 0 ? [] : verifiedManifests(history, key)) {
    if (streamsOf(manifest).some((stream) => open.has(stream))) await compareAll(manifest);
    // a seal behind the last that verified is not asked for
    if (manifest.number === seals || open.size === 0) break;
  }
  for (const stream of open.keys()) await close(stream);
  return [...found.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1));
};

const isVersion = ({ sk }: Item): boolean => /^\d{10}$/.test(String(sk?.S));

/** What is not as it was sealed, of one row. */
const sealedFault = ({ stream, version }: Commit, item: Item | undefined, expected: Item, seal: number): RowFault | undefined => {
  const fault = (reason: string, fields: readonly string[] = []): RowFault => ({ stream, version, fields, reason });
  if (item === undefined) return fault(`it is gone, and so is all that followed: seal ${seal} has it`);
  if (item.sk?.S !== expected.sk?.S)
    return isVersion(item)
      ? fault(`it is gone: seal ${seal} has it`)
      : fault(`a row "${item.sk?.S}" stands before it that was never sealed`);
  const fields = differing(item, expected);
  return fields.length === 0 ? undefined : fault(`${listed(fields)} ${are(fields)} not what seal ${seal} has`, fields);
};
