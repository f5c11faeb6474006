import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { parse } from "yaml";

const ROOT = join(import.meta.dirname, "../..");
const FOLDER = join(ROOT, "action");

type Input = { readonly description?: string; readonly required?: boolean; readonly default?: string };
type Step = { readonly id?: string; readonly shell?: string; readonly env?: Record<string, string>; readonly run?: string };
export type Action = {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly outputs: Readonly<Record<string, { readonly description?: string; readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
};
export const readAction = async (): Promise<Action> => parse(await readFile(join(FOLDER, "action.yml"), "utf8")) as Action;

/** In the place of npm's `npx`: notes what is asked for, and runs the command of this tree in place of the package. */
const NPX = (node: string, noted: string): string => `#!${node}
const { spawnSync } = require("node:child_process");
const { writeFileSync } = require("node:fs");
const [yes, name, ...words] = process.argv.slice(2);
const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => /^(SHIPLOG|npm_config)_/.test(key)));
writeFileSync(${JSON.stringify(noted)}, JSON.stringify({ yes, name, words, env, folder: process.cwd() }));
const { status } = spawnSync(process.execPath, [${JSON.stringify(join(ROOT, "cli/shiplog.ts"))}, ...words], { stdio: "inherit" });
process.exit(status ?? 1);
`;

export type ActionRun = {
  readonly code: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** of the command that it ran, where it came so far */
  readonly npx: { yes: string; name: string; words: string[]; env: Record<string, string>; folder: string } | undefined;
};

/** Runs the action as a runner does: its step's line in bash, with the environment that its inputs make. */
export const runAction = async (folder: string, inputs: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): Promise<ActionRun> => {
  const action = await readAction();
  const [step] = action.runs.steps;
  const inputOf = (name: string): string => inputs[name] ?? action.inputs[name]?.default ?? "";
  const stepEnv = Object.entries(step?.env ?? {}).map(([name, value]) => [
    name,
    value.replace(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, input: string) => inputOf(input)),
  ]);
  const bin = join(folder, "bin");
  const [outputs, summary, noted] = ["outputs", "summary", "noted"].map((name) => join(folder, name)) as [string, string, string];
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "npx"), NPX(process.execPath, noted));
  await chmod(join(bin, "npx"), 0o755);
  for (const file of [outputs, summary, noted]) await writeFile(file, "");
  const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", step?.run ?? ""], {
    cwd: folder,
    env: {
      PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
      HOME: folder,
      GITHUB_ACTIONS: "true",
      GITHUB_ACTION_PATH: FOLDER,
      GITHUB_OUTPUT: outputs,
      GITHUB_STEP_SUMMARY: summary,
      RUNNER_TEMP: folder,
      ...Object.fromEntries(stepEnv),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => {
      log += text;
    });
  const [code] = (await once(child, "close")) as [number | null];
  const note = await readFile(noted, "utf8");
  return {
    code,
    log,
    outputs: outputsIn(await readFile(outputs, "utf8")),
    summary: await readFile(summary, "utf8"),
    npx: note === "" ? undefined : JSON.parse(note),
  };
};

/** As the runner reads them. */
const outputsIn = (text: string): Record<string, string> => {
  const found: Record<string, string> = {};
  const lines = text.split("\n");
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const [, name, end] = /^([^<=]+)<<(.+)$/.exec(line) ?? [];
    if (name === undefined) {
      if (line.includes("=")) found[line.slice(0, line.indexOf("="))] = line.slice(line.indexOf("=") + 1);
      continue;
    }
    found[name] = lines.splice(0, lines.indexOf(end ?? "")).join("\n");
    lines.shift();
  }
  return found;
};

/** The commands that the runner would take from a log: none of what stands between `stop-commands` and its word. */
export const commandsIn = (log: string): string[] => {
  const found: string[] = [];
  let stopped: string | undefined;
  for (const line of log.split("\n")) {
    const text = line.trimStart();
    if (stopped !== undefined) stopped = text === `::${stopped}::` ? undefined : stopped;
    else if (/^::stop-commands::/.test(text)) stopped = text.slice("::stop-commands::".length);
    else if (text.startsWith("::") || line.includes("##[")) found.push(text);
  }
  return found;
};
