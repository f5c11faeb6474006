import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Commit } from "../../domain/kernel/chain.ts";
import { commitOf, type Item } from "./codec.ts";
import { SHARDS } from "./entity.ts";
import { logPage, type Stretch } from "./log-page.ts";

const DAY = 24 * 3600 * 1000;

export type Log = ReturnType<typeof eventLog>;

/**
 * The whole log in its total order, read from the index `log`. It orders settled history: a commit may still arrive
 * with a position a little below one that was read, so progress is never kept as a position.
 */
export const eventLog = (client: DynamoDBClient, table: string) => {
  /** Commits from a position (included) up to another (excluded), at most `limit`, in order. */
  const read = async (since: string, until: string, limit = 1_000): Promise<Commit[]> => {
    // DynamoDB refuses a stretch that ends before it begins
    if (since >= until) return [];
    const found: Commit[] = [];
    const end = Math.min(Number(until), Number.MAX_SAFE_INTEGER);
    for (let day = Math.floor(Number(since) / DAY) * DAY; day < end && found.length < limit; day += DAY) {
      const shards = await Promise.all(Array.from({ length: SHARDS }, (_, shard) => readShard({ day, shard, since, until }, limit)));
      found.push(...shards.flat().sort(byPosition));
    }
    return found.slice(0, limit);
  };

  const readShard = async (stretch: Stretch, limit: number): Promise<Commit[]> => {
    const items: Item[] = [];
    let from: Item | undefined;
    do {
      const page = await logPage(client, table, stretch, from, limit);
      items.push(...page.items);
      from = page.from;
    } while (from !== undefined && items.length < limit);
    return items.map(commitOf);
  };

  return { read };
};

const byPosition = (a: Commit, b: Commit): number =>
  a.position < b.position ? -1 : a.position > b.position ? 1 : a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : a.version - b.version;
