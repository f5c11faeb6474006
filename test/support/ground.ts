import type { Commit } from "../../domain/kernel/chain.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import type { Decision, Head } from "../../engine/log/event-store.ts";
import type { Ground } from "../../engine/log/execute.ts";
import type { Memory } from "../../engine/log/memory.ts";
import { NOTHING_INDEXED, type Snapshots } from "../../engine/log/snapshots.ts";

/** Streams that a test holds itself. */
export type Held = {
  /** the stream as it is at this moment */
  commits(stream: string): Promise<readonly Commit[]>;
  /** @param version of the last commit that the writer has seen; throws `Conflict` where there is a newer one */
  append(stream: string, version: number, decision: Decision): Promise<Commit>;
};

/** What commands are executed on, over streams that a test holds: nothing is remembered, and there are no snapshots. */
export const groundOn = ({ commits, append }: Held, clock: Clock): Ground => ({
  store: {
    read: async (stream, after, limit = Number.MAX_SAFE_INTEGER) => (await commits(stream)).slice(after, after + limit),
    readBack: async (stream, before, limit) =>
      (await commits(stream))
        .filter(({ version }) => version < before)
        .toReversed()
        .slice(0, limit),
    readFrom: async ({ stream, version }) => {
      const [known, ...after] = (await commits(stream)).slice(version - 1);
      return known && [known, ...after];
    },
    headAfter: (last) => (typeof last === "string" ? [last, 0] : [last.stream, last.version]) as unknown as Head,
    write: (head, decision) => {
      const [stream, version] = head as unknown as [string, number];
      return append(stream, version, decision);
    },
  },
  snapshots: NO_SNAPSHOTS,
  every: 1_000,
  memoryOf: () => NO_MEMORY,
  clock,
  log: (line) => {
    throw new Error(`nothing is expected to be logged: ${JSON.stringify(line)}`);
  },
});

export const NO_MEMORY: Memory<never> = { get: () => undefined, set: () => undefined, forget: () => undefined };

/** A table of snapshots that is always empty. */
export const NO_SNAPSHOTS: Snapshots = {
  newest: async () => undefined,
  write: async () => undefined,
  handled: async () => ({ version: undefined, indexed: NOTHING_INDEXED }),
  indexed: async () => NOTHING_INDEXED,
  index: async () => true,
};
