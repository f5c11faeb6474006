import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { SealedHead } from "../../domain/kernel/seal.ts";
import { each } from "../kit/each.ts";
import type { Item } from "./codec.ts";
import { DAYS, newestDays } from "./days.ts";
import { SHARDS } from "./entity.ts";
import { END } from "./log.ts";
import { logPage } from "./log-page.ts";
import { type RowFault, rowChecker, streamOf } from "./row-checker.ts";
import type { TableRows } from "./table-rows.ts";

export type Ports = {
  readonly rows: Pick<TableRows, "end" | "at" | "nextStream">;
  /** the streams that were written to last, at most so many */
  newest(limit: number): Promise<readonly string[]>;
  /** what is noted as sealed of a stream */
  sealedHead(stream: string): Promise<SealedHead | undefined>;
  /** the item that a commit is written as */
  itemOf(commit: Commit): Item;
  /** in [0, 1) */
  random(): number;
};

export type Sampled = {
  readonly streams: number;
  readonly commits: number;
  /** of the streams: those whose last sealed commit is there as it was sealed */
  readonly sealed: number;
  /** the first fault of each stream that has one */
  readonly faults: readonly RowFault[];
};

/** Streams of a sample: half of them those that were written to last, the others from anywhere. */
export const SAMPLE = 20;
/** The last commits of each are read. */
const COMMITS = 200;
/** Streams that are read at once. */
const WIDTH = 4;

/**
 * Checks some streams of the event table: the chain of their last commits, and the commit at which each was last sealed.
 * It costs the same whatever the history, and so it finds a change only where it looks.
 */
export const sampleTable = async ({ rows, newest, sealedHead, itemOf, random }: Ports): Promise<Sampled> => {
  const faults = new Map<string, RowFault>();
  let commits = 0;
  let sealed = 0;

  const look = async (stream: string): Promise<void> => {
    // before the rows: what is sealed then is among them
    const noted = await sealedHead(stream);
    const head = noted?.version === 0 ? undefined : noted;
    const items = await rows.end(stream, COMMITS);
    const after = items.length < COMMITS ? 0 : (Number(items[0]?.sk?.S) || 1) - 1;
    commits += items.length;
    const fault = firstFault(rowChecker(stream, head, itemOf, after), items) ?? (await headFault(stream, head, after));
    if (fault !== undefined) faults.set(stream, fault);
    else if (head !== undefined) sealed += 1;
  };

  /** Where the last sealed commit is before those that were read. */
  const headFault = async (stream: string, head: SealedHead | undefined, after: number): Promise<RowFault | undefined> => {
    if (head === undefined || head.version > after) return undefined;
    const item = await rows.at(stream, head.version);
    return firstFault(rowChecker(stream, head, itemOf, head.version - 1), item === undefined ? [] : [item]);
  };

  const streams = await chosen({ rows, newest, random });
  await each(streams, WIDTH, look);
  return { streams: streams.length, commits, sealed, faults: [...faults.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1)) };
};

const firstFault = (checker: ReturnType<typeof rowChecker>, items: readonly Item[]): RowFault | undefined => {
  for (const item of items) {
    const checked = checker.check(item);
    if ("reason" in checked) return checked;
  }
  return checker.end();
};

/** From a random place on, each stream and the next: their order in the table is that of a hash. A small table is chosen whole. */
const chosen = async ({ rows, newest, random }: Pick<Ports, "rows" | "newest" | "random">): Promise<string[]> => {
  const streams = new Set(await newest(SAMPLE / 2));
  const passed = new Set<string>();
  let at: string | undefined = String(random());
  for (let steps = 0; steps < 2 * SAMPLE && streams.size < SAMPLE; steps++) {
    at = await rows.nextStream(at);
    if (at === undefined) continue; // from the beginning
    if (passed.has(at)) break;
    passed.add(at);
    if (at !== DAYS) streams.add(at);
  }
  return [...streams];
};

/** Days that are looked at for the newest streams. */
const DAYS_BACK = 7;

/** The streams that were written to last, as the index of the log has them. */
export const newestStreams =
  (client: DynamoDBClient, table: string) =>
  async (limit: number): Promise<string[]> => {
    const streams = new Set<string>();
    for (const day of await newestDays(client, table, DAYS_BACK)) {
      if (streams.size >= limit) break;
      const stretch = { day: Date.parse(day), since: "0", until: END };
      const pages = await Promise.all(
        Array.from({ length: SHARDS }, (_, shard) => logPage(client, table, { ...stretch, shard }, undefined, limit, "newest first")),
      );
      const items = pages.flatMap((page) => page.items).sort((a, b) => (String(a.gsi1sk?.S) < String(b.gsi1sk?.S) ? 1 : -1));
      for (const item of items) if (streams.size < limit) streams.add(streamOf(item));
    }
    return [...streams];
  };
