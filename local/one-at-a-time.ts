import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/** Another process already works on this folder: two would write over each other. */
export class AlreadyRunning extends Error {
  override readonly name = "AlreadyRunning";
}

/** Claims a data folder for this process. A claim whose process is gone is void. Answers how to give it back. */
export const takeOver = async (dataDir: string): Promise<() => Promise<void>> => {
  const file = join(dataDir, "running.pid");
  for (;;) {
    try {
      const handle = await open(file, "wx", 0o600);
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const pid = Number(await readFile(file, "utf8").catch(() => ""));
      if (Number.isInteger(pid) && pid > 0 && isAlive(pid))
        throw new AlreadyRunning(`${dataDir} is in use by process ${pid}: stop that one, or take another folder with --data`);
      await rm(file, { force: true });
    }
  }
};

const isAlive = (pid: number): boolean => {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
