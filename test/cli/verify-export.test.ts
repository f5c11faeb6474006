import { createPublicKey } from "node:crypto";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { SEALS, verifyExport } from "../../cli/verify-export.ts";
import { sealTextOf, verifyHistory } from "../../engine/archive/sealed-history.ts";
import { type Export, exportOf, historyOf, linesOf, logOf, MORNING, manifestOf, PEM, segmentOf, write } from "../support/sealed-log.ts";

const COMMITS = 60;
const log = logOf(COMMITS);
const times = [20, 40, 41.5, 60].map((second) => MORNING + second * 1_000);
let files: Export;
beforeAll(async () => {
  files = await exportOf(() => log, times);
});

const verified = (changed: Export, key = PEM) => verifyHistory(historyOf(changed), createPublicKey(key));
const withLines = (number: number, change: (lines: string[]) => string[]): Export => {
  const { key } = manifestOf(files, number).segment;
  return new Map(files).set(key, segmentOf(change(linesOf(files.get(key) ?? Buffer.alloc(0)))));
};

/** The same numbers in every run: a mutation that is missed can be looked at. */
const random = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return seed / 2 ** 32;
};

describe("sealed history", () => {
  it("verifies as it was sealed, a stretch in which nothing happened too", async () => {
    expect(await verified(files)).toMatchObject({ seals: times.length, commits: COMMITS, fault: null });
    expect([1, 2, 3, 4].map((number) => manifestOf(files, number).count)).toEqual([20, 20, 2, 18]);
    const quiet = await exportOf(() => [], times);
    expect(await verified(quiet)).toMatchObject({ seals: times.length, commits: 0, fault: null });
  });

  it("verifies from a folder as well, and says where there is no seal", async () => {
    const folder = await mkdtemp(join(tmpdir(), "shiplog-export-"));
    try {
      await write(files, folder);
      expect(await verifyExport(folder, PEM)).toEqual(await verified(files));
      await rm(join(folder, SEALS, "00000001.json"));
      expect((await verifyExport(folder, PEM)).fault).toMatchObject({ seal: 1, reason: "seal 1 is missing: 2 follows" });
      for (const number of [2, 3, 4]) await rm(join(folder, SEALS, `0000000${number}.json`));
      expect((await verifyExport(folder, PEM)).fault).toEqual({ seal: 1, reason: "there is no seal" });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("is read no further than a seal can be long, and that is said", async () => {
    const folder = await mkdtemp(join(tmpdir(), "shiplog-export-"));
    await write(await exportOf(() => logOf(10), [MORNING + 20_000]), folder);
    const before = await verifyExport(folder, PEM);
    // without a byte of it on the disk
    await truncate(join(folder, "seals/00000001.json"), 1_000_000_000_000);
    const { fault } = await verifyExport(folder, PEM);
    await rm(folder, { recursive: true });
    expect(before.fault).toBeNull();
    expect(fault).toEqual({
      seal: 1,
      file: "seals/00000001.json",
      reason: "this file is longer than any seal: Shiplog did not write it",
    });
    let given = 0;
    const endless = async function* () {
      for (;;) yield Buffer.alloc(++given && 100);
    };
    expect(await sealTextOf(endless(), 1_000)).toBeUndefined();
    expect(given).toBe(11);
    const whole = async function* () {
      yield* [Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1)];
    };
    expect(await sealTextOf(whole(), 2)).toBe("é");
  });

  it("takes up a commit that arrived after its time was sealed", async () => {
    // the last one of its stream before the first seal, so that nothing that follows from it was sealed without it
    const late = log.findLast(({ position }) => Number(position) < (times[0] ?? 0));
    const delayed = await exportOf((time) => (time === times[0] ? log.filter((commit) => commit !== late) : log), times);
    expect([1, 2, 3, 4].map((number) => manifestOf(delayed, number).count)).toEqual([19, 21, 2, 18]);
    expect(await verified(delayed)).toMatchObject({ commits: COMMITS, fault: null });
  });

  it("names the commit whose content was changed", async () => {
    const changed = withLines(2, (lines) => lines.with(4, (lines[4] ?? "").replace('"actor":"ada"', '"actor":"eve"')));
    const { fault } = await verified(changed);
    expect(fault).toMatchObject({ seal: 2, line: 5, position: log[24]?.position, reason: expect.stringContaining("changed") });
  });

  it("names the seal whose segment is gone", async () => {
    const changed = new Map(files);
    changed.delete(manifestOf(files, 2).segment.key);
    expect((await verified(changed)).fault).toMatchObject({
      seal: 2,
      file: manifestOf(files, 2).segment.key,
      reason: expect.stringMatching(/^the segment .+ is gone$/),
    });
  });

  it("names the seal whose key was given another name", async () => {
    const seal = `${SEALS}/00000002.json`;
    const renamed = new Map(files).set(seal, Buffer.from(String(files.get(seal)).replace('"key":"test"', '"key":"mine"')));
    expect(renamed.get(seal)).not.toEqual(files.get(seal));
    expect((await verified(renamed)).fault).toMatchObject({ seal: 2, reason: expect.stringContaining("signature") });
  });

  it("is not taken for sealed by an older release", async () => {
    const seal = `${SEALS}/00000002.json`;
    const older = new Map(files).set(seal, Buffer.from(String(files.get(seal)).replace('"v":2,', "")));
    expect(older.get(seal)).not.toEqual(files.get(seal));
    expect((await verified(older)).fault).toMatchObject({ seal: 2, reason: expect.stringContaining("signature") });
  });

  it("is not verified by another key", async () => {
    const other = (await import("node:crypto")).generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" }).toString();
    expect((await verified(files, other)).fault).toMatchObject({ seal: 1, reason: expect.stringContaining("signature") });
  });

  it("finds 1,000 of 1,000 random mutations: edits, deletions, insertions, swaps, cuts, and seals and segments that are gone", async () => {
    const next = random(20_261_123);
    const below = (limit: number): number => Math.floor(next() * limit);
    const missed: string[] = [];
    const kinds = new Map<string, number>();
    for (let n = 0; n < 1_000; n++) {
      const number = [1, 2, 4][below(3)] ?? 1;
      const { kind, changed } = mutation(number, below);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if ((await verified(changed)).fault === null) missed.push(`${n}: ${kind} in seal ${number}`);
    }
    expect(missed).toEqual([]);
    expect([...kinds.values()].every((count) => count > 50)).toBe(true);
  }, 60_000);

  function mutation(number: number, below: (limit: number) => number): { kind: string; changed: Export } {
    const kind = ["edit", "delete", "insert", "swap", "truncate", "seal gone", "seal edited", "segment gone", "byte"][below(9)] ?? "edit";
    const sealFile = `${SEALS}/${number.toString().padStart(8, "0")}.json`;
    switch (kind) {
      case "edit":
        return { kind, changed: withLines(number, (lines) => edited(lines, below)) };
      case "delete":
        return { kind, changed: withLines(number, (lines) => lines.toSpliced(below(lines.length), 1)) };
      case "insert":
        return { kind, changed: withLines(number, (lines) => lines.toSpliced(below(lines.length), 0, lines[below(lines.length)] ?? "")) };
      case "swap":
        return {
          kind,
          changed: withLines(number, (lines) => {
            const at = below(lines.length - 1);
            return lines.with(at, lines[at + 1] ?? "").with(at + 1, lines[at] ?? "");
          }),
        };
      case "truncate":
        return { kind, changed: withLines(number, (lines) => lines.slice(0, below(lines.length))) };
      case "seal gone": {
        const changed = new Map(files);
        changed.delete(`${SEALS}/${(1 + below(3)).toString().padStart(8, "0")}.json`);
        return { kind, changed };
      }
      case "segment gone": {
        const changed = new Map(files);
        changed.delete(manifestOf(files, number).segment.key);
        return { kind, changed };
      }
      case "seal edited":
        return {
          kind,
          changed: new Map(files).set(
            sealFile,
            Buffer.from(String(files.get(sealFile)).replace(/\\"count\\":(\d+)/, (_, n) => `\\"count\\":${Number(n) + 1 + below(5)}`)),
          ),
        };
      default: {
        const { key } = manifestOf(files, number).segment;
        const bytes = Buffer.from(files.get(key) ?? Buffer.alloc(0));
        const at = below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
        return { kind, changed: new Map(files).set(key, bytes) };
      }
    }
  }

  function edited(lines: string[], below: (limit: number) => number): string[] {
    const at = below(lines.length);
    const commit = JSON.parse(lines[at] ?? "{}") as Record<string, unknown>;
    const fields = Object.keys(commit);
    const field = fields[below(fields.length)] ?? "actor";
    commit[field] = typeof commit[field] === "number" ? (commit[field] as number) + 1 : `${commit[field]}x`;
    return lines.with(at, JSON.stringify(commit));
  }
});
