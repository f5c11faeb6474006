import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type Received = { path: string; headers: Record<string, string>; body: string; at: number /** of the answer */; status?: number };

/** Starts a receiver process, which knows what it got before it answers; `at` asks it for what came to a path so far, in order. */
export async function startReceiver() {
  const child = spawn(process.execPath, [join(import.meta.dirname, "webhook-receiver.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const url = (path: string): string => `http://127.0.0.1:${port}/${path}`;
  const all = async (): Promise<Received[]> => (await fetch(url(""))).json() as Promise<Received[]>;
  return {
    url,
    all,
    at: async (path: string) => (await all()).filter((one) => one.path === `/${path}`),
    /** What paths of `switch/` answer from now on: 200, or 500. */
    turn: async (to: "up" | "down"): Promise<void> => void (await fetch(url(`turn/${to}`))),
    close: async () => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
export type Receiver = Awaited<ReturnType<typeof startReceiver>>;
