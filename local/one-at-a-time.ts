import { readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Damaged } from "./damaged.ts";

/** Another process already works on this folder: two would write over each other. */
export class AlreadyRunning extends Error {
  override readonly name = "AlreadyRunning";
}

/**
 * So long a lock is asked for again: of several that ask at the same moment each may hold a part of it for a moment, and
 * without another try none would get it.
 */
const BUSY_MS = 300;

/** What this process has claimed. A connection that nobody holds is collected, and its lock ends with it. */
const held = new Set<DatabaseSync>();

/** SQLite's code for a lock that somebody else holds. */
const SQLITE_BUSY = 5;

/**
 * Claims a data folder for this process until it is given back. The claim is SQLite's lock on `running.lock`, which the
 * operating system takes back the moment its process is gone, however that ended: there is no stale claim to judge, and so
 * no moment between the judgement and the claim. That file stays, and nothing else may open it in this process (closing it
 * would end the lock). `running.pid` is for messages alone. See docs/adr/0014.
 * @returns how to give it back
 * @throws AlreadyRunning, also where the other process is stopped (SIGSTOP)
 */
export const takeOver = async (dataDir: string): Promise<() => Promise<void>> => {
  const pidFile = resolve(dataDir, "running.pid");
  const lock = lockOf(resolve(dataDir, "running.lock"));
  if (lock === undefined) {
    const holder = (await readFile(pidFile, "utf8").catch(() => "")).split(" ")[0];
    throw new AlreadyRunning(
      `${dataDir} is in use by ${holder ? `process ${holder}` : "another process"}: stop that one, or take another folder with --data`,
    );
  }
  try {
    await writeFile(pidFile, String(process.pid), { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw error;
  }
  held.add(lock);
  return async () => {
    await rm(pidFile, { force: true });
    held.delete(lock);
    lock.close();
  };
};

/** The lock, held; `undefined` where somebody else holds it. */
function lockOf(file: string): DatabaseSync | undefined {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout: BUSY_MS });
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    lock?.close();
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw new Damaged(file, `it cannot be locked (${(cause as Error).message})`, "Delete it, then start again: it holds nothing", {
      cause,
    });
  }
}
