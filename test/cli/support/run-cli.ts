import { type ChildProcessByStdio, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const SHIPLOG = join(import.meta.dirname, "../../../cli/shiplog.ts");

export type Finished = { readonly code: number | null; readonly out: string; readonly err: string };
export type Started = {
  readonly finished: Promise<Finished>;
  /** resolves when stderr holds the text */
  says(text: string): Promise<void>;
  /** resolves when stdout holds the text */
  prints(text: string): Promise<void>;
  interrupt(): void;
  signal(name: NodeJS.Signals): void;
  /** whoever reads these goes away */
  hangUp(...streams: ("stdout" | "stderr")[]): void;
  /** ends it as a power cut would */
  kill(): void;
};

type Options = {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** on stdin; default none */
  readonly input?: string;
  /** streams that go into a full disk */
  readonly full?: readonly ("stdout" | "stderr")[];
};

/** Starts the real command as a person's shell would, with no terminal and only the environment that is given. */
export function startCli(words: readonly string[], { env = {}, cwd = tmpdir(), input, full = [] }: Options = {}): Started {
  const disk = full.length > 0 ? openSync("/dev/full", "w") : undefined;
  const child = spawn(process.execPath, [SHIPLOG, ...words], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", SHIPLOG_ACTOR: "alice", ...env },
    stdio: [
      input === undefined ? "ignore" : "pipe",
      ...(["stdout", "stderr"] as const).map((name) => (full.includes(name) ? disk : "pipe")),
    ],
  }) as ChildProcessByStdio<Writable | null, Readable | null, Readable | null>;
  if (disk !== undefined) closeSync(disk);
  child.stdin?.end(input);
  let out = "";
  let err = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
  const holds = async (said: () => string, text: string): Promise<void> => {
    for (const until = Date.now() + 45_000; !said().includes(text); ) {
      if (Date.now() > until) throw new Error(`the command never said "${text}", but: ${said()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return {
    finished,
    says: (text) => holds(() => err, text),
    prints: (text) => holds(() => out, text),
    interrupt: () => child.kill("SIGINT"),
    signal: (name) => child.kill(name),
    hangUp: (...streams) => {
      for (const name of streams) child[name]?.destroy();
    },
    kill: () => child.kill("SIGKILL"),
  };
}

export const runCli = (words: readonly string[], options: Options = {}): Promise<Finished> => startCli(words, options).finished;
