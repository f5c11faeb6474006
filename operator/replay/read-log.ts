import type { Commit } from "../../domain/kernel/chain.ts";
import type { SealManifest } from "../../domain/kernel/seal.ts";
import { each } from "../../engine/kit/each.ts";
import { unchanged } from "../../engine/log/chain-broken.ts";
import { sortKey } from "../../engine/log/codec.ts";
import { SHARDS } from "../../engine/log/entity.ts";
import { END } from "../../engine/log/log.ts";
import type { LogShards } from "../../engine/log/log-shards.ts";
import type { SealNotes } from "../../engine/views/seal-notes.ts";
import type { Checkpoint } from "./lease.ts";
import { commitsOf, manifestsOf, type Ports as Sealed } from "./sealed.ts";

/** Where the log is read from: sealed segments as far as they go and the event table for the rest, or the table alone. */
export type Source = "segments" | "table";

export type Ports = {
  /** `undefined` where the archive is not known: then there are no segments */
  readonly archive: Sealed | undefined;
  readonly shards: LogShards;
  /** the commits of a stream after a version, strongly consistent */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  /** what is in no seal */
  readonly notes: Pick<SealNotes, "sealsNoted" | "unsealedStreams" | "sealedHead">;
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

export const nothingDone = (): Checkpoint => ({ segments: 0, commits: 0, shards: Array.from({ length: SHARDS }, () => "") });

/** Reads the whole log, each stream in its order: first the sealed segments one by one, then the rest. */
export const readLog = async (ports: Ports, from: Source, reader: Reader): Promise<Extent> => {
  const { archive } = ports;
  // before the seals are listed: what is sealed meanwhile is read twice, and not left out
  const unsealed = (await ports.notes.sealsNoted()) === undefined ? undefined : await ports.notes.unsealedStreams();
  const manifests = archive === undefined || from === "table" ? [] : await manifestsOf(archive);
  const fromSegments = archive === undefined ? 0 : await readSegments(archive, manifests, reader);
  const at: Checkpoint = { ...nothingDone(), segments: manifests.length };
  const fromTable =
    manifests.length === 0 || unsealed === undefined ? await readTable(ports, at, reader) : await readStreams(ports, unsealed, reader);
  return { segments: manifests.length, fromSegments, fromTable };
};

const readSegments = async (
  archive: Sealed,
  manifests: readonly SealManifest[],
  { prefixes, done, add, pause }: Reader,
): Promise<number> => {
  let at = nothingDone();
  let count = 0;
  for await (const { index, commits } of commitsOf(archive, manifests, prefixes)) {
    let read = at.segments === index ? at.commits : 0;
    for (const commit of commits) {
      read += 1;
      await add(commit, index < done.segments || (index === done.segments && read <= done.commits));
    }
    count += commits.length;
    at = { ...at, segments: index, commits: read };
    await pause(at);
  }
  return count;
};

/** Streams of interest, each from where it is sealed: as many as have something new. */
const readStreams = async ({ read, notes }: Ports, streams: readonly string[], { prefixes, add }: Reader): Promise<number> => {
  let count = 0;
  await each(
    streams.filter((stream) => prefixes.some((prefix) => stream.startsWith(prefix))),
    SHARDS,
    async (stream) => {
      for (const commit of await read(stream, (await notes.sealedHead(stream))?.version ?? 0)) {
        await add(commit, false);
        count += 1;
      }
    },
  );
  return count;
};

/** The whole table, eight shards at once. */
const readTable = async ({ shards }: Ports, at: Checkpoint, { prefixes, done, add, pause }: Reader): Promise<number> => {
  let count = 0;
  const reached = [...at.shards];
  let failed = false;
  await each([...reached.keys()], SHARDS, async (shard) => {
    try {
      for await (const page of shards.read(shard, "0", END)) {
        for (const commit of unchanged(page)) {
          if (!prefixes.some((prefix) => commit.stream.startsWith(prefix))) continue;
          const key = `${commit.position}#${commit.stream}#${sortKey(commit.version)}`;
          await add(commit, key <= (done.shards[shard] ?? ""));
          count += 1;
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
  return count;
};
