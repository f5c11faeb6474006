import type { Commit } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { each } from "../kit/each.ts";
import { sortKey } from "../store/codec.ts";
import { SHARDS } from "../store/entity.ts";
import type { LogShards } from "../store/log-shards.ts";
import { EPOCH, LATE_MS } from "../store/seal.ts";
import type { Checkpoint } from "./lease.ts";
import { commitsOf, type Ports as Sealed, verifiedManifests } from "./sealed.ts";

/** Where the log is read from: sealed segments as far as they go and the event table for the rest, or the table alone. */
export type Source = "segments" | "table";

export type Ports = {
  /** `undefined` where the archive is not known: then there are no segments */
  readonly archive: Sealed | undefined;
  readonly shards: LogShards;
  now(): number;
};

export type Reader = {
  /** what a stream of interest begins with */
  readonly prefixes: readonly string[];
  /** how far an earlier run came */
  readonly done: Checkpoint;
  /** `written`: at or before `done` */
  add(commit: Commit, written: boolean): Promise<void>;
  /** called every some hundred commits */
  pause(at: Checkpoint): Promise<void>;
};

export type Extent = { readonly segments: number; readonly fromSegments: number; readonly fromTable: number };

/** Positions are a little ahead of the clock where causes were. */
const AHEAD_MS = 3_600_000;

export const nothingDone = (): Checkpoint => ({ segments: 0, commits: 0, shards: Array.from({ length: SHARDS }, () => "") });

/** Reads the whole log, each stream in its order: first the sealed segments one by one, then the rest, eight shards at once. */
export const readLog = async ({ archive, shards, now }: Ports, from: Source, reader: Reader): Promise<Extent> => {
  const { prefixes, done, add, pause } = reader;
  const manifests = archive === undefined || from === "table" ? [] : await verifiedManifests(archive);
  let at = nothingDone();
  let fromSegments = 0;
  if (archive !== undefined)
    for await (const { index, commits } of commitsOf(archive, manifests, prefixes)) {
      let read = at.segments === index ? at.commits : 0;
      for (const commit of commits) {
        read += 1;
        await add(commit, index < done.segments || (index === done.segments && read <= done.commits));
      }
      fromSegments += commits.length;
      at = { ...at, segments: index, commits: read };
      await pause(at);
    }
  at = { ...at, segments: manifests.length, commits: 0 };

  // what came too late for a seal is in the table alone until the next one takes it up
  const sealed = manifests.at(-1);
  const since = sealed === undefined ? positionAt(EPOCH) : positionAt(Number(sealed.until) - LATE_MS);
  const until = positionAt(now() + AHEAD_MS);
  let fromTable = 0;
  const reached = [...at.shards];
  let failed = false;
  await each([...reached.keys()], SHARDS, async (shard) => {
    try {
      for await (const page of shards.read(shard, since, until)) {
        for (const commit of page) {
          if (!prefixes.some((prefix) => commit.stream.startsWith(prefix))) continue;
          const key = `${commit.position}#${commit.stream}#${sortKey(commit.version)}`;
          await add(commit, key <= (done.shards[shard] ?? ""));
          fromTable += 1;
          reached[shard] = key;
        }
        if (failed) return; // another shard's fault ends it
        await pause({ ...at, shards: [...reached] });
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  return { segments: manifests.length, fromSegments, fromTable };
};
