import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type Seal, SealManifest } from "../../domain/kernel/seal.ts";
import type { Objects } from "../aws/objects.ts";
import type { Clock } from "../kit/clock.ts";
import { sha256 } from "../log/codec.ts";
import { SHARDS } from "../log/entity.ts";
import type { EventStore } from "../log/event-store.ts";
import { END } from "../log/log.ts";
import type { LogShards } from "../log/log-shards.ts";
import type { SealNotes } from "../views/seal-notes.ts";
import { SEALS, sealText } from "./archived-history.ts";
import { type Ports, type SegmentWriter, sealRest, unsealedCommits } from "./seal.ts";
import { SealBroken, sealedCommits, sealIn, TOO_LONG } from "./sealed-history.ts";
import type { Signer } from "./signer.ts";

const numbered = (number: number): string => number.toString().padStart(8, "0");
const sealKey = (number: number): string => `${SEALS}${numbered(number)}.json`;

type Bucket = Pick<Objects, "list" | "open" | "putNew" | "putNewText" | "readAddress">;

/** The signed seals of an archive bucket. */
export const sealsIn = (objects: Pick<Objects, "list" | "open">, bucket: string) => {
  const read = async (key: string): Promise<Seal> => {
    const text = await sealText(objects, bucket, key);
    const seal = text === undefined ? undefined : sealIn(text);
    if (seal !== undefined) return seal;
    throw new SealBroken({
      seal: Number.parseInt(key.slice(SEALS.length), 10),
      file: key,
      reason: text === undefined ? TOO_LONG : "this file is not a seal, or it was damaged",
    });
  };
  return {
    /** Every seal, in order. */
    seals: async (): Promise<Seal[]> => {
      const seals: Seal[] = [];
      for (const key of await objects.list(bucket, SEALS)) seals.push(await read(key));
      return seals;
    },
    /** The seals behind a number, in order; each is read when it is asked for. */
    sealsAfter: async function* (number: number): AsyncGenerator<Seal> {
      for (const key of await objects.list(bucket, SEALS)) if (key > sealKey(number)) yield await read(key);
    },
    /** One seal by its number. */
    seal: (number: number): Promise<Seal> => read(sealKey(number)),
    /** The newest seal. */
    latest: async (): Promise<Seal | undefined> => {
      const last = (await objects.list(bucket, SEALS)).at(-1);
      return last === undefined ? undefined : read(last);
    },
  };
};

/** The log, and what is noted of it: what a sealer reads. */
export type SealedLog = { readonly read: EventStore["read"]; readonly shards: LogShards; readonly notes: SealNotes };

export type Archive = ReturnType<typeof sealArchive>;

/** The archive bucket: sealed segments of the log (gzipped JSON lines) and the signed seals. Nothing in it is ever overwritten. */
export const sealArchive = (
  objects: Bucket,
  bucket: string,
  signer: Signer,
  { read, shards, notes }: SealedLog,
  clock: Pick<Clock, "now">,
) => {
  const { seal: numberedSeal, ...seals } = sealsIn(objects, bucket);
  const ports: Ports = {
    ...notes,
    ...seals,
    sha256,
    read,
    wholeLog: async function* () {
      for (let shard = 0; shard < SHARDS; shard++) yield* shards.read(shard, "0", END);
    },
    commitsOf: (manifest: SealManifest) => sealedCommits({ open: (key) => objects.open(bucket, key) }, manifest),
    openSegment: () => openSegment(objects, bucket),
    keyName: signer.keyName,
    sign: signer.sign,
    store: (number, seal) => objects.putNewText(bucket, sealKey(number), JSON.stringify(seal)),
    now: clock.now,
  };

  return {
    ...seals,
    publicKey: signer.publicKey,
    /** The newest seal whose streams are all noted, which costs no listing of the others; `undefined` where nothing was ever sealed. */
    latestNoted: async (): Promise<SealManifest | undefined> => {
      const number = (await notes.sealsNoted()) ?? 0;
      return number === 0 ? undefined : SealManifest.parse(JSON.parse((await numberedSeal(number)).manifest));
    },
    /** Where a segment can be read for fifteen minutes. */
    addressOf: (key: string): Promise<string> => objects.readAddress(bucket, key),
    /** Seals what is in no seal; see `sealRest`. */
    seal: (even: "nothing new" | "only what is new"): Promise<SealManifest | undefined> => sealRest(ports, even),
    /** What is in no seal: how many commits, and the time of the oldest; both are unknown where nothing was ever sealed. */
    unsealed: async (): Promise<{ commits: number; since: string | null } | undefined> => {
      if ((await notes.sealsNoted()) === undefined) return undefined;
      const { commits } = await unsealedCommits(ports, Number.POSITIVE_INFINITY);
      return { commits: commits.length, since: commits.map(({ at }) => at).sort()[0] ?? null };
    },
  };
};

/** A segment goes through a file: its length and digest must be known before it is put. */
const openSegment = async (objects: Pick<Objects, "putNew">, bucket: string): Promise<SegmentWriter> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-segment-"));
  const file = join(folder, "segment.jsonl.gz");
  const gzip = createGzip();
  const written = pipeline(gzip, createWriteStream(file));
  written.catch(() => undefined);
  return {
    write: async (line) => {
      if (!gzip.write(`${line}\n`)) await once(gzip, "drain");
    },
    end: async (number) => {
      gzip.end();
      await written;
      const digest = createHash("sha256");
      await pipeline(createReadStream(file), digest);
      const hex = digest.digest("hex");
      const key = `segments/${numbered(number)}-${hex.slice(0, 16)}.jsonl.gz`;
      await objects.putNew(bucket, key, file, hex);
      return { key, sha256: hex, bytes: (await stat(file)).size };
    },
    discard: async () => {
      gzip.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
