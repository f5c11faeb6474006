import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Commit } from "../../domain/kernel/chain.ts";
import { inLogOrder } from "../../domain/kernel/seal.ts";
import { commitOf, type Item } from "./codec.ts";
import { SHARDS } from "./entity.ts";
import { logPage, type Order, type Stretch } from "./log-page.ts";

/** One shard of a day as far as it was read. */
type Reading = { readonly shard: number; readonly commits: Commit[]; from: Item | undefined; isWhole: boolean };

/** How much more than its share of what is wanted each shard is asked for first: a stream, and what is done at one time, is in one. */
const SPARE = 2;

/**
 * The first commits of one day between two positions, in order, at most `limit`. Each shard is read on only while it may still have one
 * of them.
 */
export const readDay = async (
  client: DynamoDBClient,
  table: string,
  stretch: Omit<Stretch, "shard">,
  limit: number,
  order: Order = "oldest first",
): Promise<Commit[]> => {
  const compare = order === "oldest first" ? inLogOrder : (a: Commit, b: Commit) => inLogOrder(b, a);
  const readOn = async (one: Reading, size: number): Promise<void> => {
    const wanted = one.commits.length + size;
    do {
      const left = wanted - one.commits.length;
      const page = await logPage(client, table, { ...stretch, shard: one.shard }, one.from, left, order);
      one.commits.push(...page.items.map(commitOf));
      one.from = page.from;
      one.isWhole = page.from === undefined;
    } while (!one.isWhole && one.commits.length < wanted);
  };

  const shards = Array.from({ length: SHARDS }, (_, shard): Reading => ({ shard, commits: [], from: undefined, isWhole: false }));
  let behind = shards;
  for (let size = Math.ceil((SPARE * limit) / SHARDS); ; size *= 2) {
    await Promise.all(behind.map((one) => readOn(one, size)));
    const found = shards.flatMap(({ commits }) => commits).sort(compare);
    const last = found[limit - 1];
    behind = shards.filter(({ isWhole, commits }) => {
      const end = commits.at(-1);
      return !isWhole && (last === undefined || end === undefined || compare(end, last) < 0);
    });
    if (behind.length === 0) return found.slice(0, limit);
  }
};
