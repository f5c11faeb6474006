import { type ChildProcessByStdio, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { vi } from "vitest";

// a test may start the command several times, and each start is a Node of its own
vi.setConfig({ testTimeout: 60_000 });

const SHIPLOG = join(import.meta.dirname, "../../../cli/shiplog.ts");

export type Finished = { readonly code: number | null; readonly out: string; readonly err: string };
export type Started = {
  readonly finished: Promise<Finished>;
  /** resolves when stderr holds the text */
  says(text: string): Promise<void>;
  /** resolves when stdout holds the text */
  prints(text: string): Promise<void>;
  interrupt(): void;
  /** ends it as a power cut would */
  kill(): void;
};

type Options = { readonly env?: Record<string, string>; readonly cwd?: string /** on stdin; default none */; readonly input?: string };

/** Starts the real command as a person's shell would, with no terminal and only the environment that is given. */
export function startCli(words: readonly string[], { env = {}, cwd = tmpdir(), input }: Options = {}): Started {
  const child = spawn(process.execPath, [SHIPLOG, ...words], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", SHIPLOG_ACTOR: "alice", ...env },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
  child.stdin?.end(input);
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
  const holds = async (said: () => string, text: string): Promise<void> => {
    for (const until = Date.now() + 15_000; !said().includes(text); ) {
      if (Date.now() > until) throw new Error(`the command never said "${text}", but: ${said()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return {
    finished,
    says: (text) => holds(() => err, text),
    prints: (text) => holds(() => out, text),
    interrupt: () => child.kill("SIGINT"),
    kill: () => child.kill("SIGKILL"),
  };
}

export const runCli = (words: readonly string[], options: Options = {}): Promise<Finished> => startCli(words, options).finished;
