import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Commit } from "../../domain/kernel/chain.ts";
import { commitOf } from "./codec.ts";
import { logDays, newestDays } from "./days.ts";
import { SHARDS } from "./entity.ts";
import { readDay } from "./log-day.ts";
import { logPage } from "./log-page.ts";

export type Log = Pick<ReturnType<typeof eventLog>, "read">;

/** Behind every commit: the log is read to its end, whatever the clocks say. */
export const END = "9".repeat(15);
/** Days that are looked through for the newest commits. */
const NEWEST_DAYS = 3;

/**
 * The whole log in its total order, read from the index `log`. It orders settled history: a commit may still arrive
 * with a position a little below one that was read, so progress is never kept as a position.
 */
export const eventLog = (client: DynamoDBClient, table: string) => {
  const days = logDays(client, table);

  /** Commits from a position (included) up to another (excluded), at most `limit`, in order. */
  const read = async (since: string, until: string, limit = 1_000): Promise<Commit[]> => {
    // DynamoDB refuses a stretch that ends before it begins
    if (since >= until) return [];
    const found: Commit[] = [];
    for (const day of await days.between(since, until)) {
      if (found.length >= limit) break;
      found.push(...(await readDay(client, table, { day, since, until }, limit - found.length)));
    }
    return found.slice(0, limit);
  };

  /** Position of the last commit behind another position; `undefined` where there is none. */
  const lastAfter = async (since: string): Promise<string | undefined> => {
    for (const day of (await days.between(since, END)).reverse()) {
      const lasts = await Promise.all(
        Array.from({ length: SHARDS }, (_, shard) =>
          logPage(client, table, { day, shard, since, until: END }, undefined, 1, "newest first"),
        ),
      );
      const last = lasts
        .flatMap(({ items }) => items.map((item) => commitOf(item).position))
        .sort()
        .at(-1);
      if (last !== undefined) return last;
    }
    return undefined;
  };

  /** The last commits of the log, newest first, at most `limit`: of its last few days, whatever the clocks say. */
  const newest = async (limit: number): Promise<Commit[]> => {
    const found: Commit[] = [];
    for (const name of await newestDays(client, table, NEWEST_DAYS)) {
      if (found.length >= limit) break;
      found.push(
        ...(await readDay(client, table, { day: Date.parse(name), since: "0", until: END }, limit - found.length, "newest first")),
      );
    }
    return found.slice(0, limit);
  };

  return { read, newest, lastAfter, completeDays: days.complete };
};
