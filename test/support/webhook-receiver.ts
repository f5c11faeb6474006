import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type Received = { path: string; headers: Record<string, string>; body: string; at: number };

/** Starts a receiver process; `received` holds what it got so far, in order. */
export async function startReceiver() {
  const child = spawn(process.execPath, [join(import.meta.dirname, "webhook-receiver.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [port] = (await once(lines, "line")) as [string];
  const received: Received[] = [];
  lines.on("line", (line) => received.push(JSON.parse(line) as Received));
  return {
    url: (path: string) => `http://127.0.0.1:${port}/${path}`,
    received,
    at: (path: string) => received.filter((one) => one.path === `/${path}`),
    close: async () => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
export type Receiver = Awaited<ReturnType<typeof startReceiver>>;
