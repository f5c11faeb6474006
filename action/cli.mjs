import { spawn } from "node:child_process";
import { once } from "node:events";
import { showAsText } from "./runner.mjs";

const PACKAGE = "@shiplog-deploy/cli";

/**
 * Runs the command, shows what it tells, and answers with its exit code and its document. It works outside of the
 * checkout: what is configured there for npm does not say where the package comes from.
 */
export async function deploy(inputs, run, env, onBegun) {
  const words = [
    ...["--yes", `${PACKAGE}@${inputs.version}`, "deploy", "--json", `--site=${inputs.site}`, `--env=${inputs.environment}`],
    ...(inputs.timeout === "" ? [] : [`--timeout=${inputs.timeout}`]),
    ...(inputs.reason === "" ? [] : [`--reason=${inputs.reason}`]),
    ...["--", inputs.directory],
  ];
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("SHIPLOG_INPUT_")));
  const child = spawn("npx", words, {
    cwd: run.temp,
    env: { ...own, SHIPLOG_URL: inputs.url, npm_config_ignore_scripts: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const passOn = (signal) => child.kill(signal);
  const signals = ["SIGINT", "SIGTERM"];
  for (const signal of signals) process.on(signal, passOn);

  const text = showAsText();
  let out = "";
  let told = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    text.write(chunk);
    if (told === undefined) return;
    told += chunk;
    if (!/\bdep_[0-9A-Z]{26}\b/.test(told)) return;
    told = undefined;
    onBegun();
  });
  try {
    const [code] = await once(child, "close");
    return { code: code ?? 1, document: documentIn(out) };
  } catch (error) {
    const next = "It comes with Node: add actions/setup-node before this step.";
    return { code: 1, document: { error: { message: `npx could not be started: ${error.message}.`, next } } };
  } finally {
    text.end();
    for (const signal of signals) process.off(signal, passOn);
  }
}

/** One document: what came of it, or the error of a command that could not begin. */
function documentIn(out) {
  for (const text of [out, out.trimEnd().split("\n").at(-1)])
    try {
      return JSON.parse(text);
    } catch {
      // the next one
    }
  return {};
}
