import type { Commit } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";

export type Ports = {
  /** commits of the whole log between two positions, in order */
  readLog(since: string, until: string, limit: number): Promise<readonly Commit[]>;
  relayed(stream: string): Promise<number>;
  /** puts a stream's commits on the bus up to this one */
  relay(commit: Commit): Promise<void>;
  now(): number;
};

/** How far back the mender looks: the stream keeps its records for a day, so an hour is what a stuck relay may lag before an alarm rings. */
const WINDOW_MS = 3_600_000;
/** Younger commits are most likely still on their way. */
const SETTLE_MS = 3_000;
const LIMIT = 5_000;

/** Republishes what the relay lost. Answers the streams that it mended. */
export const mend = async ({ readLog, relayed, relay, now }: Ports): Promise<string[]> => {
  const newest = new Map<string, Commit>();
  for (const commit of await readLog(positionAt(now() - WINDOW_MS), positionAt(now() - SETTLE_MS), LIMIT))
    newest.set(commit.stream, commit);
  const mended: string[] = [];
  for (const commit of newest.values()) {
    if ((await relayed(commit.stream)) >= commit.version) continue;
    await relay(commit);
    mended.push(commit.stream);
  }
  return mended;
};
