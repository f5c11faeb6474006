import type { Commit } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { eventsOf } from "./codec.ts";

export type Ports = {
  /** the commits of a stream after a version */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  publish(events: readonly Recorded[]): Promise<void>;
  /** the last version of a stream that is known to be on the bus */
  relayed(stream: string): Promise<number>;
  setRelayed(stream: string, version: number): Promise<unknown>;
  /** says that a stream has commits up to this version that may be in no seal */
  noteUnsealed(stream: string, version: number): Promise<unknown>;
};

/**
 * Puts a stream's new commits on the bus, up to and including `commit`, and remembers how far it came. A commit whose
 * own record was lost goes with the next one of its stream; the last one of a stream is the mender's.
 */
export const relay =
  ({ read, publish, relayed, setRelayed, noteUnsealed }: Ports) =>
  async (commit: Commit): Promise<void> => {
    const { stream, version } = commit;
    const before = await relayed(stream);
    if (before >= version) return;
    const missing = before === version - 1 ? [commit] : await read(stream, before);
    const last = missing.at(-1)?.version ?? version;
    await Promise.all([publish(missing.flatMap(eventsOf)), noteUnsealed(stream, last)]);
    await setRelayed(stream, last);
  };
