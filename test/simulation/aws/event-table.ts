import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { Commit } from "../../../domain/kernel/chain.ts";
import { commitOf, type Item } from "../../../engine/log/codec.ts";
import { isCommit } from "../../../engine/log/days.ts";
import type { World } from "../world/world.ts";

export type Stored = { readonly item: Item; readonly commit: Commit; readonly at: number };
export type EventTable = ReturnType<typeof eventTable>;

/** The table of events: conditional puts, consistent reads of a stream, and an index that is a moment late. */
export const eventTable = (world: World, appended: (stored: Stored) => void) => {
  const streams = new Map<string, Stored[]>();
  const log = new Map<string, Stored[]>();
  /** names of days, and what else is in the partition that is no stream */
  const days = new Set<string>();
  const of = (stream: string): Stored[] => streams.get(stream) ?? [];

  const put = (item: Item): void => {
    if (!isCommit(item)) return void days.add(item.sk?.S ?? "");
    const stream = item.pk?.S ?? "";
    const version = Number(item.sk?.S);
    const there = of(stream);
    if (version <= there.length) {
      if (there[version - 1]?.item.id?.S !== item.id?.S) world.faults.note("store-conflict");
      throw new ConditionalCheckFailedException({ $metadata: {}, message: "it is there" });
    }
    const stored = { item, commit: commitOf(item), at: world.now() };
    if (there.length === 0) streams.set(stream, there);
    there.push(stored);
    const partition = item.gsi1pk?.S ?? "";
    const filed = log.get(partition) ?? [];
    if (filed.length === 0) log.set(partition, filed);
    filed.push(stored);
    appended(stored);
  };

  return {
    streams: streams as ReadonlyMap<string, readonly Stored[]>,
    of: of as (stream: string) => readonly Stored[],
    put,
    get: (stream: string, version: number): Item | undefined => of(stream)[version - 1]?.item,
    after: (stream: string, version: number): Item[] =>
      of(stream)
        .slice(version)
        .map(({ item }) => item),
    /** Newest first. */
    before: (stream: string, version: number, limit = Number.MAX_SAFE_INTEGER): Item[] =>
      of(stream)
        .slice(0, version - 1)
        .reverse()
        .slice(0, limit)
        .map(({ item }) => item),
    /** The days that have commits, and that all of them are named: nobody needs what another process found by a scan. */
    daysFrom: (since: string): Item[] =>
      [...days, "complete"]
        .filter((day) => day >= since)
        .sort()
        .map((day) => ({ sk: { S: day } })),
    /** Whether anything was ever filed there: asking for a day without any is no scheduling point. */
    isEmpty: (partition: string): boolean => !log.has(partition),
    /** The index `log`: what was written in the last seconds may be missing. */
    filed: (partition: string, since: string, until: string): Item[] => {
      const seen = world.faults.strikes("stale-read") ? world.now() - 2_000 : world.now();
      return (log.get(partition) ?? [])
        .filter(({ at, item }) => at <= seen && (item.gsi1sk?.S ?? "") >= since && (item.gsi1sk?.S ?? "") <= until)
        .sort((a, b) => ((a.item.gsi1sk?.S ?? "") < (b.item.gsi1sk?.S ?? "") ? -1 : 1))
        .map(({ item }) => item);
    },
  };
};
