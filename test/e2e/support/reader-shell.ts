import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { shellEnvironment } from "../../support/made-apps.ts";
import { until } from "../../support/until.ts";

const LIMIT_MS = 240_000;

/** What a reader answers to a question that a command asks. */
export type Answer = { readonly question: RegExp; readonly typed: () => string };

export type Printed = { readonly code: number | null; readonly out: string };

/** Why there is no terminal for the reader here; `undefined` where there is one. */
export const missingTerminal = async (): Promise<string | undefined> => {
  const version = await promisify(execFile)("script", ["--version"]).catch(() => undefined);
  return version?.stdout.includes("util-linux")
    ? undefined
    : "script of util-linux is missing (apt-get install bsdutils): no terminal to type in";
};

export type ReaderShell = Awaited<ReturnType<typeof openReaderShell>>;

/**
 * A terminal with a shell, as a reader of the documents has it: the folder that one line went to and the variables that
 * it exported are there for the next, and questions are answered when they are asked.
 */
export const openReaderShell = async (folder: string, more: NodeJS.ProcessEnv, answers: readonly Answer[]) => {
  const state = await mkdtemp(join(tmpdir(), "shiplog-shell-"));
  const { CI: _, ...mine } = shellEnvironment();
  const env = {
    ...mine,
    ...more,
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    SHELL: "/bin/sh",
    // no line that is drawn again and again
    TERM: "dumb",
    NO_COLOR: "1",
    // a reader installs what npx asks for, whatever the npm of this machine is told to answer
    npm_config_yes: "true",
  };
  await writeFile(join(state, "folder"), folder);
  await writeFile(join(state, "variables"), "");
  const here = async (): Promise<string> => (await readFile(join(state, "folder"), "utf8")).trim();
  const running = new Set<{ stop(): Promise<void> }>();

  const type = async (line: string): Promise<Printed> => {
    const step = join(state, "step.sh");
    await writeFile(
      step,
      [
        `trap 'export -p >"${state}/variables"; pwd >"${state}/folder"' EXIT`,
        "stty columns 250",
        `. "${state}/variables"`,
        `cd "$(cat "${state}/folder")"`,
        line,
        "",
      ].join("\n"),
    );
    const child = spawn("script", ["-qec", `sh '${step}'`, "/dev/null"], { cwd: state, env, stdio: ["pipe", "pipe", "inherit"] });
    // what was answered after the command had ended
    child.stdin.on("error", () => undefined);
    const closed = once(child, "close") as Promise<[number | null]>;
    const me = {
      stop: async () => {
        child.kill("SIGHUP");
        await closed;
      },
    };
    running.add(me);
    let [out, read] = ["", 0];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      const asked = answers.find(({ question }) => question.test(out.slice(read)));
      if (asked === undefined) return;
      read = out.length;
      child.stdin.write(asked.typed());
    });
    // far more than any line takes: it ends what waits for an answer that nobody has
    const limit = setTimeout(() => child.kill("SIGHUP"), LIMIT_MS);
    const [code] = await closed;
    clearTimeout(limit);
    running.delete(me);
    if (child.signalCode !== null) throw new Error(`"${line}" was ended by ${child.signalCode}. It had printed:\n${out}`);
    return { code, out: stripVTControlCharacters(out).replaceAll("\r", "") };
  };

  /** Another terminal, in the same folder, in which a line goes on until it is stopped with Ctrl-C. Resolves when it has said that it is ready. */
  const start = async (line: string, ready: RegExp) => {
    const child = spawn("sh", ["-c", line], { cwd: await here(), env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const gone = once(child, "exit");
    let out = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text) => {
        out += text;
      });
    const me = {
      out: () => out,
      stop: async () => {
        running.delete(me);
        if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGINT");
        await gone;
      },
    };
    running.add(me);
    await until(`${line} to say ${ready}`, () => {
      if (child.exitCode !== null) throw new Error(`${line} ended with ${child.exitCode}:\n${out}`);
      return ready.test(out);
    });
    return me;
  };

  return {
    type,
    start,
    close: async (): Promise<void> => {
      for (const one of [...running]) await one.stop();
      await rm(state, { recursive: true, force: true });
    },
  };
};
