import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Seal, type SealManifest } from "../../domain/kernel/seal.ts";
import type { Objects } from "../aws/objects.ts";
import type { Signer } from "../aws/signer.ts";
import type { Clock } from "../kit/clock.ts";
import { sha256 } from "./codec.ts";
import type { Log } from "./log.ts";
import { type SegmentWriter, sealUntil } from "./seal.ts";

const SEALS = "seals/";
const numbered = (number: number): string => number.toString().padStart(8, "0");
const sealKey = (number: number): string => `${SEALS}${numbered(number)}.json`;

export type Archive = ReturnType<typeof sealArchive>;

/** The archive bucket: sealed segments of the log (gzipped JSON lines) and the signed seals. Nothing in it is ever overwritten. */
export const sealArchive = (
  objects: Pick<Objects, "list" | "getText" | "putNew" | "putNewText" | "readAddress">,
  bucket: string,
  signer: Signer,
  readLog: Log["read"],
  clock: Pick<Clock, "now">,
) => {
  const read = async (key: string): Promise<Seal> => {
    const text = await objects.getText(bucket, key);
    if (text === undefined) throw new Error(`the seal ${key} is gone from ${bucket}: its bucket must not let anything be deleted`);
    return Seal.parse(JSON.parse(text));
  };

  return {
    publicKey: signer.publicKey,
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
    /** Where a segment can be read for fifteen minutes. */
    addressOf: (key: string): Promise<string> => objects.readAddress(bucket, key),
    /** Seals the log up to a time (milliseconds since 1970); see `sealUntil`. */
    seal: (until: number): Promise<SealManifest | undefined> =>
      sealUntil(
        {
          sha256,
          readLog,
          latest: async () => {
            const last = (await objects.list(bucket, SEALS)).at(-1);
            return last === undefined ? undefined : read(last);
          },
          openSegment: () => openSegment(objects, bucket),
          keyName: signer.keyName,
          sign: signer.sign,
          store: (number, seal) => objects.putNewText(bucket, sealKey(number), JSON.stringify(seal)),
          now: clock.now,
        },
        until,
      ),
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
