import { createPublicKey } from "node:crypto";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { SEALS } from "../../cli/verify-export.ts";
import { publicKeyOf, verifyHistory } from "../../engine/archive/sealed-history.ts";
import { type Export, exportOf, historyOf, logOf, MORNING, manifestOf, PEM } from "../support/sealed-log.ts";

/** One seal over six commits: every byte of it is changed, one at a time. */
const log = logOf(6, 2);
const SEAL = `${SEALS}/00000001.json`;
let files: Export;
let segment: string;
beforeAll(async () => {
  files = await exportOf(() => log, [MORNING + 6_000]);
  segment = manifestOf(files, 1).segment.key;
});

const key = createPublicKey(PEM);
/** The fault that is found once one file of the export holds these bytes. */
const faultOf = async (path: string, bytes: Buffer) => (await verifyHistory(historyOf(new Map(files).set(path, bytes)), key)).fault;
const whole = (path: string): Buffer => files.get(path) ?? Buffer.alloc(0);
const flipped = (path: string, at: number, bit: number): Buffer => {
  const bytes = Buffer.from(whole(path));
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  return bytes;
};

describe("an export of which one byte was changed", () => {
  it.each(["seal", "segment"])(
    "is not verified, and the %s is named: at every byte",
    async (kind) => {
      const path = kind === "seal" ? SEAL : segment;
      const missed: string[] = [];
      for (let at = 0; at < whole(path).length; at++) {
        const fault = await faultOf(path, flipped(path, at, at % 8));
        if (fault?.seal !== 1 || fault.file !== path) missed.push(`byte ${at}: ${JSON.stringify(fault)}`);
      }
      expect(missed).toEqual([]);
    },
    60_000,
  );

  it.each(["seal", "segment"])(
    "is not verified where its %s was cut off: at every byte",
    async (kind) => {
      const path = kind === "seal" ? SEAL : segment;
      const missed: number[] = [];
      for (let length = 0; length < whole(path).length; length++)
        if ((await faultOf(path, whole(path).subarray(0, length)))?.file !== path) missed.push(length);
      expect(missed).toEqual([]);
    },
    60_000,
  );

  it("is not verified where the segment goes through the unpacker in many pieces: its check comes when its lines are gone", async () => {
    const long = await exportOf(() => logOf(1_200, 40), [MORNING + 1_200_000]);
    const path = manifestOf(long, 1).segment.key;
    const bytes = long.get(path) ?? Buffer.alloc(0);
    for (let n = 0; n < 20; n++) {
      const at = n < 8 ? bytes.length - 8 + n : Math.floor((bytes.length / 20) * n);
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (n % 8));
      const { fault } = await verifyHistory(historyOf(new Map(long).set(path, changed)), key);
      expect(fault, `byte ${at}`).toMatchObject({ seal: 1, file: path });
    }
  });

  it("is not verified by a key of which a byte was changed, unless that changed nothing of the key", async () => {
    for (let at = 0; at < PEM.length; at++) {
      const pem = Buffer.from(PEM);
      pem[at] = (pem[at] ?? 0) ^ (1 << (at % 8));
      const changed = publicKeyOf(pem.toString());
      if (changed === undefined) continue;
      const { fault } = await verifyHistory(historyOf(files), changed);
      if (changed.equals(key)) expect(fault).toBeNull();
      else expect(fault).toMatchObject({ seal: 1, file: SEAL, reason: expect.stringContaining("not of this key") });
    }
  });
});

describe("a segment with more than what was sealed", () => {
  const trailers: [string, () => Buffer][] = [
    ["a byte behind its end", () => Buffer.concat([whole(segment), Buffer.from([0])])],
    ["words behind its end", () => Buffer.concat([whole(segment), Buffer.from("and more")])],
    ["a second part", () => Buffer.concat([whole(segment), gzipSync("{}\n")])],
    ["an empty second part", () => Buffer.concat([whole(segment), gzipSync("")])],
    ["a second part that is damaged", () => Buffer.concat([whole(segment), gzipSync("{}\n").subarray(0, 15)])],
    ["nothing at all", () => Buffer.alloc(0)],
    ["a line that does not end", () => gzipSync("{")],
    ["a line of another shape", () => gzipSync(`${JSON.stringify([log[0]])}\n`)],
    ["a line with one field more", () => gzipSync(`${JSON.stringify({ ...log[0], note: "x" })}\n`)],
    ["a version that is a word", () => gzipSync(`${JSON.stringify({ ...log[0], version: "1" })}\n`)],
  ];
  it.each(trailers)("is found: %s", async (_, bytes) => {
    expect(await faultOf(segment, bytes())).toMatchObject({ seal: 1, file: segment });
  });

  it("is not unpacked to its end: a gigabyte without a line, or of empty lines", async () => {
    // what 16 MB of the same pack to, 64 times: 1 GB of 1 MB
    const before = process.memoryUsage().rss;
    for (const [filler, reason] of [
      ["x", "longer than any commit"],
      ["\n", "not a commit"],
    ] as const) {
      const part = gzipSync(Buffer.alloc(16 * 1024 * 1024, filler));
      expect(await faultOf(segment, Buffer.concat(Array.from({ length: 64 }, () => part)))).toMatchObject({
        seal: 1,
        line: 1,
        reason: expect.stringContaining(reason),
      });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
  });

  it("is not read to its end: it is far longer than it was", async () => {
    expect(await faultOf(segment, Buffer.alloc(8 * 1024 * 1024, 7))).toMatchObject({
      file: segment,
      reason: expect.stringContaining("far longer"),
    });
  });
});

it("a seal names a file of its folder of segments, and no other", async () => {
  expect(manifestOf(files, 1).segment.key).toMatch(/^segments\//);
  for (const key of ["../secret", "segments/../../secret", "segments/..", "/etc/passwd", "segments/a/b"])
    expect(() => manifestOf(new Map(files).set(SEAL, withKey(key)), 1), key).toThrow(/segment/);
});

const withKey = (key: string): Buffer => {
  const seal = JSON.parse(String(files.get(SEAL)));
  const manifest = JSON.parse(seal.manifest);
  return Buffer.from(JSON.stringify({ ...seal, manifest: JSON.stringify({ ...manifest, segment: { ...manifest.segment, key } }) }));
};
