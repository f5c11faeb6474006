import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import { inLogOrder, SealManifest } from "../../domain/kernel/seal.ts";
import { kmsSigner } from "../../services/aws/signer.ts";
import { wire } from "../../services/seal/handler.ts";
import { sealArchive } from "../../services/store/archive.ts";
import { type AuditedPast, startAuditedPast } from "../support/audited-past.ts";

const DAY = 86_400_000;
const midnight = (time: number): number => Math.floor(time / DAY) * DAY;

let past: AuditedPast;
beforeEach(async () => {
  past = await startAuditedPast();
}, 60_000);
afterEach(() => past.close());

/** The schedule's run, at this time. */
const runAt = async (time: number): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  await wire({ archive: archiveAt(time), clock: { ...past.engine.clock, now: () => time }, log: (line) => void lines.push(line) })(
    undefined,
  );
  return lines;
};
const archiveAt = (time: number) => {
  const { objects, clients, eventLog, config } = past.engine;
  const signer = kmsSigner(clients.kms, config.sealKey);
  return sealArchive(objects, config.buckets.archive, signer, eventLog.read, { now: () => time });
};
const manifests = async (): Promise<SealManifest[]> =>
  (await past.engine.archive.seals()).map(({ manifest }) => SealManifest.parse(JSON.parse(manifest)));
const numbers = async (): Promise<number[]> => (await manifests()).map(({ number }) => number);

describe("the daily seal", () => {
  it("closes each day that is over, once, also one in which nothing happened", async () => {
    const tomorrow = midnight(Date.now()) + DAY + 3_600_000;
    expect(await runAt(tomorrow)).toMatchObject([{ message: "the log was sealed", number: 1 }]);
    const [first] = await manifests();
    const trail = await past.trail();
    expect(first?.count).toBe(new Set(trail.map(({ stream, version }) => `${stream} ${version}`)).size);
    expect(Number(first?.until)).toBe(midnight(tomorrow));

    // every hour of that day there is a run, and only the first finds something to do
    for (const hour of [1, 5, 22]) expect(await runAt(tomorrow + hour * 3_600_000)).toEqual([]);
    expect(await numbers()).toEqual([1]);

    expect(await runAt(tomorrow + DAY)).toMatchObject([{ number: 2, count: 0 }]);
    expect((await manifests())[1]).toMatchObject({ count: 0, first: null, last: null, since: first?.until, heads: {} });
    // it was down for three days: one seal closes them all
    expect(await runAt(tomorrow + 4 * DAY)).toMatchObject([{ number: 3 }]);
    expect(Number((await manifests())[2]?.until)).toBe(midnight(tomorrow) + 4 * DAY);
  });

  it("keeps its segment as gzipped JSON lines, in the log's order, in the archive bucket", async () => {
    await runAt(midnight(Date.now()) + DAY + 3_600_000);
    const [{ segment, count } = { segment: { key: "" }, count: 0 }] = await manifests();
    const answer = await fetch(await past.engine.archive.addressOf(segment.key));
    const commits = gunzipSync(Buffer.from(await answer.arrayBuffer()))
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Commit);
    expect(commits).toHaveLength(count);
    expect(commits).toEqual(commits.toSorted(inLogOrder));
    const stored = await past.engine.store.read(commits[0]?.stream ?? "", 0);
    expect(commits[0]).toEqual(stored[0]);
  });

  it("is one, where two are made at once", async () => {
    const before = await numbers();
    const time = midnight(Date.now()) + 30 * DAY;
    const [one, other] = await Promise.all([archiveAt(time).seal(time - 120_000), archiveAt(time).seal(time - 120_000)]);
    expect([one, other].filter((sealed) => sealed !== undefined)).toHaveLength(1);
    expect(await numbers()).toEqual([...before, before.length + 1]);
  });
});
