import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type ApiClient, apiClient } from "./api-client.ts";
import type { KillPoint } from "./kill-points.ts";

export type Crashing = { readonly api: ApiClient /** how it died, once it did */; died(): Promise<NodeJS.Signals | null> };

/** Starts the engine in a process of its own that dies at a point; answers once it serves. */
export const startCrashing = async (dataDir: string, appDir: string, point: KillPoint): Promise<Crashing> => {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, "crashing-shiplog.ts"), dataDir, appDir, point], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await Promise.race([once(lines, "line"), exited.then(() => [undefined])])) as [string | undefined];
  if (line === undefined) throw new Error(`the engine did not start: ${said}`);
  const { url, token } = JSON.parse(line) as { url: string; token: string };
  return {
    api: apiClient(url, token),
    died: async () => {
      const timer = setTimeout(() => child.kill("SIGTERM"), 60_000);
      const [, signal] = await exited;
      clearTimeout(timer);
      return signal;
    },
  };
};
