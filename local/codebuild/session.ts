import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setImmediate as afterPoll } from "node:timers/promises";
import { endProcesses } from "./processes.ts";

/**
 * The one shell that runs all commands of a build, as buildspec 0.2 wants: variables, functions and `cd` of one
 * command are there for the next. A command that ends the shell (`exit 3`, `set -e`) loses only its functions and
 * unexported variables: the next command gets a new shell with the same environment and folder.
 */
export type Session = {
  /** Runs one command and returns its exit status. Rejects with the signal's reason when the build is cut. */
  run(command: string): Promise<number>;
  /** The values that these variables have in the shell now; unset ones are left out. */
  read(names: readonly string[]): Promise<{ name: string; value: string }[]>;
  /** Ends the shell and everything that was started from it. */
  close(): Promise<void>;
};

export type SessionOptions = {
  readonly buildId: string;
  /** A folder for the session's own files, outside the source. */
  readonly folder: string;
  readonly cwd: string;
  readonly shell: "bash" | "sh" | "/bin/sh";
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly output: (chunk: Buffer) => void;
};

/**
 * Watches a pipe whose other end only the endpoint holds: when the endpoint dies, even by SIGKILL, the pipe ends
 * and the whole process group with it. It is the shell's parent, so that a `wait` in a build does not wait for it.
 */
const SUPERVISOR = `
( read -r gone <&5; trap '' TERM; kill -TERM "-$$"; sleep 2; kill -KILL "-$$" ) </dev/null >/dev/null 2>&1 3<&- 4>&- &
"$1" "$2" "$3" 5<&-
`;

/** Reads names of command files from descriptor 3 and answers each with its exit status on 4. */
const DRIVER = `
exec 2>&1
__session=$1; set --
if [ -f "$__session/environment" ]; then . "$__session/environment"; cd "$(cat "$__session/cwd")"; fi
trap '__status=$?; export -p >"$__session/environment"; pwd >"$__session/cwd"; exit "$__status"' EXIT
while IFS= read -r __next <&3; do
  . "$__next" 3<&- 4>&-
  echo "$?" >&4
done
`;

export async function openSession(options: SessionOptions): Promise<Session> {
  const { folder, signal } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 }); // the environment, secrets included, is written there
  const driver = join(folder, "driver.sh");
  await writeFile(driver, DRIVER);
  let shell: Shell | undefined;
  let commands = 0;
  const groups: number[] = [];

  const run = async (command: string): Promise<number> => {
    signal.throwIfAborted();
    const file = join(folder, `command-${++commands}.sh`);
    await writeFile(file, `${command}\n`);
    if (!shell) {
      shell = startShell(options, driver);
      if (shell.group !== undefined) groups.push(shell.group);
    }
    const current = shell;
    const { promise: cut, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      const { status, ended } = await Promise.race([current.send(file), cut]);
      if (ended) shell = undefined;
      // What the command printed came through another pipe, filled before the status: one turn of the loop reads it.
      await afterPoll();
      return status;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };

  const read = async (names: readonly string[]) => {
    if (names.length === 0) return [];
    const file = join(folder, "values");
    await rm(file, { force: true });
    const each = names.map((name) => `if [ -n "\${${name}+set}" ]; then printf '%s=%s\\0' ${name} "$${name}"; fi`);
    await run(`{ ${each.join("; ")}; } >'${file.replaceAll("'", "'\\''")}'`);
    return (await readFile(file, "utf8"))
      .split("\0")
      .filter((pair) => pair !== "")
      .map((pair) => ({ name: pair.slice(0, pair.indexOf("=")), value: pair.slice(pair.indexOf("=") + 1) }));
  };

  return { run, read, close: () => endProcesses(options.buildId, groups) };
}

/** Of a build's processes: they take what the rest of the machine leaves. */
const BUILD_NICENESS = 10;

type Shell = { readonly group: number | undefined; send(file: string): Promise<{ status: number; ended: boolean }> };

function startShell({ folder, cwd, shell, env, output }: SessionOptions, driver: string): Shell {
  const child: ChildProcess = spawn("/bin/sh", ["-c", SUPERVISOR, "build", shell, driver, folder], {
    cwd,
    env,
    detached: true, // its own process group and no terminal
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
  });
  // a build has hours, a visitor has milliseconds: on one machine what is live goes first
  if (child.pid !== undefined) setPriority(child.pid, BUILD_NICENESS);
  const [, stdout, stderr, orders, answers] = child.stdio as unknown as [null, Readable, Readable, Writable, Readable];
  for (const stream of child.stdio) stream?.on("error", () => {}); // a dead shell is seen by its exit
  stdout.on("data", output);
  stderr.on("data", output);

  let settle: ((outcome: { status: number; ended: boolean }) => void) | undefined;
  let ended: number | undefined;
  const end = (status: number) => {
    ended = status;
    settle?.({ status, ended: true });
  };
  child.on("exit", (code, signal) => end(code ?? (signal === "SIGKILL" ? 137 : 143)));
  child.on("error", (error) => {
    output(Buffer.from(`cannot start a shell: ${error.message}\n`));
    end(127);
  });
  let answer = "";
  answers.on("data", (chunk: Buffer) => {
    answer += chunk.toString();
    if (!answer.endsWith("\n")) return;
    settle?.({ status: Number(answer), ended: false });
    answer = "";
  });

  return {
    group: child.pid,
    send: (file) =>
      new Promise((resolve) => {
        settle = resolve;
        if (ended !== undefined) resolve({ status: ended, ended: true });
        else orders.write(`${file}\n`);
      }),
  };
}
