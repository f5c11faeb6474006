import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** An independent implementation of some of AWS, where it is installed: a second opinion on our own. */
export type Moto = { readonly url: string; close(): Promise<void> };

/** Starts `moto_server` on any free port of 127.0.0.1; `undefined` where it is not installed. */
export const startMoto = async (): Promise<Moto | undefined> => {
  const child = spawn("moto_server", ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  const started = await Promise.race([once(child, "spawn").then(() => true), once(child, "error").then(() => false)]);
  if (!started) return undefined;
  const gone = once(child, "exit");
  for await (const line of createInterface({ input: child.stderr })) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (url === undefined) continue;
    child.stderr.resume();
    return {
      url,
      close: async () => {
        child.kill("SIGKILL");
        await gone;
      },
    };
  }
  throw new Error("moto_server ended before it said where it listens");
};
