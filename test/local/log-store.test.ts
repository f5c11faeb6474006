import { appendFileSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CHUNK_BYTES, type LogStore, openLogStore } from "../../local/endpoint/log-store.ts";

const LINES = 100_000;
const message = (n: number): string => `line ${n}: compiled ü pages/${n}.tsx`;
let folder: string;
let store: LogStore;
/** bytes that each read of a file asked for */
const reads: number[] = [];
const bytes = (): number => reads.reduce((sum, one) => sum + one, 0);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-logs-"));
  store = openLogStore(folder);
  for (let from = 0; from < LINES; from += 10_000)
    store.append(
      "builds",
      "long",
      Array.from({ length: 10_000 }, (_, n) => ({ timestamp: from + n, message: message(from + n) })),
    );
  const file = await open(join(folder, "any"), "w");
  const handle = Object.getPrototypeOf(file) as { read(...args: unknown[]): Promise<{ bytesRead: number }> };
  await file.close();
  const { read } = handle;
  vi.spyOn(handle, "read").mockImplementation(async function (this: unknown, ...args: unknown[]) {
    const done = await read.apply(this, args);
    reads.push(done.bytesRead);
    return done;
  });
});
beforeEach(() => void reads.splice(0));
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

describe(`a log of ${LINES} lines`, () => {
  it("is read whole, page by page, each line once and each byte little more than once", async () => {
    let from = 0;
    let seen = 0;
    for (let more = true; more; ) {
      const page = await store.page("builds", "long", { from }, 1_000);
      for (const line of page?.lines ?? []) expect(line.message).toBe(message(seen++));
      more = page !== undefined && page.end > from;
      from = page?.end ?? from;
    }
    expect(seen).toBe(LINES);
    expect(bytes()).toBeLessThan(2 * from);
    // so much is parsed before others have their turn
    expect(Math.max(...reads)).toBeLessThanOrEqual(CHUNK_BYTES);
  });

  it("has a beginning, a middle and an end that cost what they show", async () => {
    const first = await store.page("builds", "long", { from: 0 }, 10);
    expect(first?.lines.map(({ timestamp }) => timestamp)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const last = await store.page("builds", "long", { to: undefined }, 2);
    expect(last?.lines.map((line) => line.message)).toEqual([message(LINES - 2), message(LINES - 1)]);
    const before = await store.page("builds", "long", { to: last?.start }, 1);
    expect(before?.lines.map((line) => line.message)).toEqual([message(LINES - 3)]);
    const again = await store.page("builds", "long", { from: before?.start ?? 0 }, 100);
    expect(again?.lines).toHaveLength(3);
    expect(bytes()).toBeLessThanOrEqual(4 * CHUNK_BYTES);
  });

  it("goes backward to its first line", async () => {
    let to: number | undefined;
    let left = LINES;
    for (let more = true; more; ) {
      const page = await store.page("builds", "long", { to }, 10_000);
      for (const { timestamp } of page?.lines.toReversed() ?? []) expect(timestamp).toBe(--left);
      to = page?.start;
      more = to !== undefined && to > 0;
    }
    expect(left).toBe(0);
  });
});

describe("a line", () => {
  it("longer than what is read at once is one line, from both ends", async () => {
    const long = "x".repeat(3 * CHUNK_BYTES);
    store.append("builds", "wide", [
      { timestamp: 1, message: "short" },
      { timestamp: 2, message: long },
      { timestamp: 3, message: "" },
    ]);
    const expected = [1, 2, 3];
    expect((await store.page("builds", "wide", { from: 0 }, 10))?.lines.map(({ timestamp }) => timestamp)).toEqual(expected);
    expect((await store.page("builds", "wide", { to: undefined }, 10))?.lines.map(({ timestamp }) => timestamp)).toEqual(expected);
  });

  it("that is half written is left for later", async () => {
    store.append("builds", "torn", [{ timestamp: 1, message: "whole" }]);
    const path = join(folder, "builds", "torn.jsonl");
    const line = JSON.stringify({ timestamp: 2, message: "later", ingestionTime: 0 });
    appendFileSync(path, line.slice(0, 20));
    const tail = await store.page("builds", "torn", { to: undefined }, 10);
    const head = await store.page("builds", "torn", { from: 0 }, 10);
    expect([tail, head].map((page) => page?.lines.map(({ message }) => message))).toEqual([["whole"], ["whole"]]);
    appendFileSync(path, `${line.slice(20)}\n`);
    for (const from of [tail?.end, head?.end])
      expect((await store.page("builds", "torn", { from: from ?? 0 }, 10))?.lines.map(({ message }) => message)).toEqual(["later"]);
  });
});
