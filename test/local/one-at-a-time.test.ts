import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AlreadyRunning, takeOver } from "../../local/one-at-a-time.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-claim-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const left = (claim: string) => writeFile(join(folder, "running.pid"), claim);

it("gives a folder to one at a time, and to the next once it was given back", async () => {
  const giveBack = await takeOver(folder);
  await expect(takeOver(folder)).rejects.toThrow(AlreadyRunning);
  await giveBack();
  await (await takeOver(folder))();
});

it("refuses a folder whose process lives, and names it", async () => {
  await left(String(process.ppid));
  await expect(takeOver(folder)).rejects.toThrow(`is in use by process ${process.ppid}: stop that one`);
});

it.each([
  ["of a process that is gone", `${2 ** 22 + 1} 1`],
  ["of a killed process whose id this one has now", `${process.pid} 1`],
  ["that a killed process did not finish", ""],
])("takes a claim %s for void", async (_, claim) => {
  await left(claim);
  await (await takeOver(folder))();
});

it.runIf(process.platform === "linux")("takes a claim for void whose id another process has now", async () => {
  await left(`${process.ppid} 1`);
  await (await takeOver(folder))();
});
