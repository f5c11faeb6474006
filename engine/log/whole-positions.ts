import type { Commit } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { unchanged } from "./chain-broken.ts";
import type { Log } from "./log.ts";

/** A commit may appear a little below what was read already: the newest seconds are given again. */
export const SETTLED_MS = 10_000;
const BATCH = 500;

/** The next commits, and never only a part of those that share a position. */
export async function wholePositions({ log }: { readonly log: Log }, from: string, end: string): Promise<Commit[]> {
  const commits = unchanged(await log.read(from, end, BATCH));
  const last = commits.at(-1);
  if (last === undefined || commits.length < BATCH) return commits;
  const before = commits.filter(({ position }) => position < last.position);
  return [...before, ...(await log.read(last.position, positionAt(Number(last.position) + 1)))];
}
