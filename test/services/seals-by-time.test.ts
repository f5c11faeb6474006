import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyExport } from "../../cli/verify-export.ts";
import { type Commit, commitHash } from "../../domain/kernel/chain.ts";
import { inLogOrder } from "../../domain/kernel/seal.ts";
import { sha256 } from "../../engine/log/codec.ts";
import { exportByTime, exportOf, logOf, MORNING, manifestOf, PEM, write } from "../support/sealed-log.ts";

// Releases up to 0.1 sealed what had a position between two times. What was written later than that was lost to them.
const log = logOf(60);
const times = [20, 40].map((second) => MORNING + second * 1_000);
const late = log.find(({ stream, version }) => stream === "deployment/dep_1" && version === 2) as Commit;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-by-time-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let turn = 0;
const verified = async (files: Awaited<ReturnType<typeof exportOf>>) => {
  const place = join(folder, String(turn++));
  await write(files, place);
  return verifyExport(place, PEM);
};

describe("seals by time", () => {
  it("verify as they did, and the next seal goes on behind them", async () => {
    const old = exportByTime(log, times);
    expect(await verified(old)).toMatchObject({ seals: 2, commits: 40, passedOver: 0, fault: null });
    const files = await exportOf(() => log, [MORNING + 60_000], old);
    expect(manifestOf(files, 3)).toMatchObject({ v: 2, count: 20 });
    expect(await verified(files)).toMatchObject({ seals: 3, commits: 60, passedOver: 0, fault: null });
  });

  it("that lost a commit say that it is not sealed, and the next seal has it", async () => {
    const old = exportByTime(
      log.filter((commit) => commit !== late),
      times,
    );
    expect(await verified(old)).toMatchObject({ seals: 2, commits: 39, passedOver: 1, fault: null });
    const files = await exportOf(() => log, [MORNING + 60_000], old);
    expect(manifestOf(files, 3)).toMatchObject({ count: 21, streams: { [late.stream]: [{ from: 2, to: 2 }, { to: 12 }] } });
    expect(await verified(files)).toMatchObject({ seals: 3, commits: 60, passedOver: 0, fault: null });
  });

  it("that lost a commit take no other one in its place", async () => {
    const old = exportByTime(
      log.filter((commit) => commit !== late),
      times,
    );
    const { hash: _, ...forged } = { ...late, actor: "eve" };
    const other = { ...forged, hash: commitHash(sha256, forged) };
    const changed = log.map((commit) => (commit === late ? other : commit)).sort(inLogOrder);
    await expect(exportOf(() => changed, [MORNING + 60_000], old)).rejects.toThrow(
      /deployment\/dep_1 version 2 is not sealed: it does not follow/,
    );
  });

  it("that lost a commit which is gone from the log are a fault once the next seal is made", async () => {
    const rest = log.filter((commit) => commit !== late);
    const files = new Map(exportByTime(rest, times));
    await expect(exportOf(() => rest, [MORNING + 60_000], files)).rejects.toThrow(/versions 2 to 2 of .* are gone/);
    expect((await verified(files)).fault).toMatchObject({ seal: 3, reason: expect.stringContaining("1 commits are in no seal") });
  });
});

it("the digest of a manifest is what the next one names", () => {
  const files = exportByTime(log, times);
  const [first = ""] = [1, 2].map((number) => JSON.parse(String(files.get(`seals/0000000${number}.json`))).manifest);
  expect(manifestOf(files, 2).previous).toBe(hash("sha256", first, "hex"));
});
