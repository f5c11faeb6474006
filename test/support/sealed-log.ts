import { generateKeyPairSync, hash, sign } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import { PUBLIC_KEY, SEALS } from "../../cli/verify-export.ts";
import { type Commit, commitHash, commitId } from "../../domain/kernel/chain.ts";
import { nextPosition, positionAt } from "../../domain/kernel/position.ts";
import { inLogOrder, type Seal, SealManifest, sealing, signedText } from "../../domain/kernel/seal.ts";
import { sealRest } from "../../engine/archive/seal.ts";
import type { SealedHistory } from "../../engine/archive/sealed-history.ts";
import { sha256 } from "../../engine/log/codec.ts";
import { notesInMemory } from "./seal-notes.ts";

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

/** Seals what of the log has a position before each of these times, as it is then, with a key of this process, and answers the export. */
export const exportOf = async (
  logAt: (time: number) => readonly Commit[],
  times: readonly number[],
  files: Export = new Map([[PUBLIC_KEY, Buffer.from(PEM)]]),
): Promise<Export> => {
  const seals = [...files].flatMap(([path, bytes]) => (path.startsWith(SEALS) ? [JSON.parse(String(bytes)) as Seal] : []));
  const notes = notesInMemory();
  for (const time of times) {
    const lines: string[] = [];
    const there = logAt(time).filter(({ position }) => Number(position) < time);
    for (const { stream, version } of there) await notes.noteUnsealed(stream, version);
    await sealRest(
      {
        ...notes,
        sha256,
        read: async (stream, after) =>
          there.filter((commit) => commit.stream === stream && commit.version > after).sort((a, b) => a.version - b.version),
        sealsAfter: async function* (number) {
          yield* seals.slice(number);
        },
        commitsOf: async function* ({ segment }) {
          yield* linesOf(files.get(segment.key) ?? Buffer.alloc(0)).map((line) => JSON.parse(line) as Commit);
        },
        wholeLog: async function* () {
          yield there;
        },
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
        now: () => time,
      },
      "nothing new",
    );
  }
  return files;
};

/** The log as releases up to 0.1 sealed it: what has a position before each of these times, and behind the one before. */
export const exportByTime = (log: readonly Commit[], times: readonly number[]): Export => {
  const files: Export = new Map([[PUBLIC_KEY, Buffer.from(PEM)]]);
  let previous: string | null = null;
  for (const [index, time] of times.entries()) {
    const since = positionAt(times[index - 1] ?? MORNING);
    const until = positionAt(time);
    const commits = log.filter(({ position }) => position >= since && position < until);
    const { streams, ...sealed } = summary(commits);
    const heads = Object.fromEntries(
      Object.entries(streams).map(([stream, runs]) => [stream, { version: runs.at(-1)?.to, hash: runs.at(-1)?.hash }]),
    );
    const bytes = segmentOf(commits.map((commit) => JSON.stringify(commit)));
    const key = `segments/${index + 1}.jsonl.gz`;
    const segment = { key, sha256: hash("sha256", bytes, "hex"), bytes: bytes.length };
    const sealedAt = new Date(time).toISOString();
    const manifest: string = JSON.stringify({ v: 1, number: index + 1, since, until, ...sealed, heads, segment, previous, sealedAt });
    const seal = { manifest, key: "test" };
    const signature = sign(null, Buffer.from(signedText((text) => hash("sha256", text, "hex"), seal)), privateKey).toString("base64");
    files.set(key, bytes).set(`${SEALS}/0000000${index + 1}.json`, Buffer.from(JSON.stringify({ ...seal, signature })));
    previous = hash("sha256", manifest, "hex");
  }
  return files;
};

const summary = (commits: readonly Commit[]) => {
  const sealed = sealing(sha256);
  for (const commit of commits) sealed.add(commit);
  return sealed.end();
};

/** The same as it lies in a folder, without one. */
export const historyOf = (files: Export): SealedHistory => ({
  seals: async function* () {
    for (const name of [...files.keys()].filter((path) => path.startsWith(SEALS)).sort()) yield { name, text: String(files.get(name)) };
  },
  open: async (key) => {
    const bytes = files.get(key);
    return bytes && Readable.from([bytes], { objectMode: false });
  },
});

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
