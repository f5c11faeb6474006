import { readdirSync, readFileSync } from "node:fs";
import { until } from "./until.ts";

/** Waits until no process is left that works for a data folder: builds and functions carry its path in their environment. */
export const expectNoOrphans = async (dataDir: string): Promise<void> => {
  if (process.platform !== "linux") return; // elsewhere nothing tells whose a process is
  let left: string[] = [];
  await until("every process of the folder to be gone", () => {
    left = processesOf(dataDir);
    return left.length === 0;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; there still are: ${left.join("; ")}`, { cause: error });
  });
};

const processesOf = (dataDir: string): string[] =>
  readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const [command = "", environment = ""] = ["cmdline", "environ"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8"));
      return `${command}${environment}`.includes(dataDir) ? [`${pid} ${command.replaceAll("\0", " ")}`] : [];
    } catch {
      return []; // gone in between, or somebody else's
    }
  });
