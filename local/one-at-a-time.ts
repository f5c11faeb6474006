import { open, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

/** Another process already works on this folder: two would write over each other. */
export class AlreadyRunning extends Error {
  override readonly name = "AlreadyRunning";
}

/** What this process itself holds: after a restart in a container it may have the very id that a killed one had. */
const held = new Set<string>();

/** Claims a data folder for this process. A claim whose process is gone is void. Answers how to give it back. */
export const takeOver = async (dataDir: string): Promise<() => Promise<void>> => {
  const file = resolve(dataDir, "running.pid");
  for (;;) {
    try {
      const handle = await open(file, "wx", 0o600);
      held.add(file);
      await handle.writeFile(`${process.pid} ${await beginOf(process.pid)}`);
      await handle.close();
      return async () => {
        await rm(file, { force: true });
        held.delete(file);
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const [pid = "", begin] = (await readFile(file, "utf8").catch(() => "")).split(" ");
      if (held.has(file) || (await isAlive(Number(pid), begin)))
        throw new AlreadyRunning(`${dataDir} is in use by process ${pid}: stop that one, or take another folder with --data`);
      await rm(file, { force: true });
    }
  }
};

/** Whether it is still the same process: ids are given again. */
const isAlive = async (pid: number, begin: string | undefined): Promise<boolean> => {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return begin === undefined || begin === (await beginOf(pid));
};

/** When a process began, in ticks since the machine's start; empty where /proc does not tell. */
const beginOf = async (pid: number): Promise<string> => {
  const stat = await readFile(join("/proc", String(pid), "stat"), "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
};
