import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AlreadyRunning, takeOver } from "../../local/one-at-a-time.ts";

let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-claim-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});
const left = (claim: string, where = folder) => writeFile(join(where, "running.pid"), claim);
const another = async (): Promise<ChildProcess> => {
  const child = fork(join(import.meta.dirname, "claiming-process.ts"), { execArgv: [] });
  children.push(child);
  await once(child, "message");
  return child;
};
const claims = async (child: ChildProcess, where = folder): Promise<string> => {
  child.send(where);
  return (await once(child, "message"))[0];
};

it("gives a folder to one at a time, and to the next once it was given back", async () => {
  const giveBack = await takeOver(folder);
  await expect(takeOver(folder)).rejects.toThrow(AlreadyRunning);
  await expect(takeOver(folder)).rejects.toThrow(`is in use by process ${process.pid}: stop that one`);
  await giveBack();
  await (await takeOver(folder))();
});

it("refuses a folder whose process lives, names it, also while that one is stopped, and gives it once that one was killed", async () => {
  const child = await another();
  expect(await claims(child)).toBe("mine");
  await expect(takeOver(folder)).rejects.toThrow(`is in use by process ${child.pid}: stop that one`);
  child.kill("SIGSTOP");
  await expect(takeOver(folder)).rejects.toThrow(AlreadyRunning);
  child.kill("SIGKILL");
  await once(child, "exit");
  await (await takeOver(folder))();
});

it("gives a folder with a dead process's claim to exactly one of several that come at once", async () => {
  const processes = await Promise.all([another(), another(), another(), another()]);
  for (let round = 0; round < 12; round++) {
    const place = join(folder, String(round));
    await mkdir(place);
    await left(`${2 ** 22 + 1} 1`, place);
    const answers = await Promise.all(processes.map((child) => claims(child, place)));
    expect(answers.sort(), `round ${round}`).toEqual(["AlreadyRunning", "AlreadyRunning", "AlreadyRunning", "mine"]);
  }
});

it.each([
  ["of a process that is gone", `${2 ** 22 + 1} 1`],
  ["of a killed process whose id this one has now", `${process.pid} 1`],
  ["of a killed process whose id another one has now", String(process.ppid)],
  ["that a killed process did not finish", ""],
])("takes a claim %s for void", async (_, claim) => {
  await left(claim);
  const giveBack = await takeOver(folder);
  expect(await readFile(join(folder, "running.pid"), "utf8")).toBe(String(process.pid));
  await giveBack();
});

it("names the lock's file where that is damaged, and the way out", async () => {
  await writeFile(join(folder, "running.lock"), "x".repeat(200));
  await expect(takeOver(folder)).rejects.toMatchObject({
    name: "Damaged",
    message: expect.stringContaining("running.lock cannot be used"),
  });
  await rm(join(folder, "running.lock"));
  await (await takeOver(folder))();
});
