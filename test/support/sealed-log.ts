import { generateKeyPairSync, sign } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { PUBLIC_KEY, SEALS } from "../../cli/verify-export.ts";
import { type Commit, commitHash, commitId } from "../../domain/kernel/chain.ts";
import { nextPosition } from "../../domain/kernel/position.ts";
import { inLogOrder, type Seal, SealManifest } from "../../domain/kernel/seal.ts";
import { sha256 } from "../../services/store/codec.ts";
import { sealUntil } from "../../services/store/seal.ts";

/** An export in memory: files by their path, as `shiplog audit export` writes them. */
export type Export = Map<string, Buffer>;

/** Ten in the morning. */
export const MORNING = Date.UTC(2026, 10, 23, 10);
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
export const PEM = publicKey.export({ format: "pem", type: "spki" }).toString();

/** A log of several streams, one commit a second. */
export const logOf = (commits: number, streams = 5): Commit[] => {
  const heads = new Map<string, Commit>();
  const log: Commit[] = [];
  for (let n = 0; n < commits; n++) {
    const stream = `deployment/dep_${(n * 7) % streams}`;
    const before = heads.get(stream);
    const cause = `cmd_${n}`;
    const commit = {
      stream,
      version: (before?.version ?? 0) + 1,
      id: commitId(sha256, stream, cause),
      body: JSON.stringify([{ type: "BuildStarted", v: 1, body: { buildId: `build-${n}` } }]),
      cause,
      correlation: cause,
      actor: "ada",
      origin: "token:ada 203.0.113.9",
      at: new Date(MORNING + n * 1_000).toISOString(),
      position: nextPosition(MORNING + n * 1_000, before?.position, undefined),
      prev: before?.hash ?? "",
    };
    const whole = { ...commit, hash: commitHash(sha256, commit) };
    heads.set(stream, whole);
    log.push(whole);
  }
  return log.sort(inLogOrder);
};

/** Seals the log, as it is at each of these times, with a key of this process, and answers the export. */
export const exportOf = async (logAt: (time: number) => readonly Commit[], times: readonly number[]): Promise<Export> => {
  const files: Export = new Map([[PUBLIC_KEY, Buffer.from(PEM)]]);
  const seals: Seal[] = [];
  for (const until of times) {
    const lines: string[] = [];
    await sealUntil(
      {
        sha256,
        readLog: async (since, to, limit) =>
          logAt(until)
            .filter(({ position }) => position >= since && position < to)
            .slice(0, limit),
        latest: async () => seals.at(-1),
        openSegment: async () => ({
          write: async (line) => void lines.push(`${line}\n`),
          end: async (number) => {
            const bytes = gzipSync(lines.join(""));
            const key = `segments/${number}.jsonl.gz`;
            files.set(key, bytes);
            return { key, sha256: Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex"), bytes: bytes.length };
          },
          discard: async () => {},
        }),
        keyName: async () => "test",
        sign: async (text) => sign(null, Buffer.from(text), privateKey).toString("base64"),
        store: async (number, seal) => {
          seals.push(seal);
          files.set(`${SEALS}/${number.toString().padStart(8, "0")}.json`, Buffer.from(JSON.stringify(seal)));
          return true;
        },
        now: () => until + 120_000,
      },
      until,
    );
  }
  return files;
};

export const write = async (files: Export, folder: string): Promise<void> => {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
};

/** The lines of a segment. */
export const linesOf = (bytes: Buffer): string[] => gunzipSync(bytes).toString("utf8").split("\n").slice(0, -1);
export const segmentOf = (lines: readonly string[]): Buffer => gzipSync(lines.map((line) => `${line}\n`).join(""));
export const manifestOf = (files: Export, number: number): SealManifest =>
  SealManifest.parse(JSON.parse((JSON.parse(String(files.get(`${SEALS}/${number.toString().padStart(8, "0")}.json`))) as Seal).manifest));
