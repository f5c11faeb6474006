import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openApi } from "./api.ts";
import { openContext } from "./context.ts";
import { findTargets, startLoad } from "./demo/load.ts";
import { deployOnce, flipsIn, readLog, rollBack } from "./demo/scenario.ts";
import { documentOf, type Outcome, problemsOf, show } from "./demo/summary.ts";
import { judge } from "./demo/verdict.ts";
import { CliError, exit } from "./failure.ts";
import { findApp } from "./next-app.ts";
import { openTerminal } from "./terminal.ts";

const USAGE = `npm run demo -- [options]

Starts a local AWS, deploys a Next.js app, deploys it again under load, rolls back, and shows what happened.

  --app <folder>   another Next.js app with @opennextjs/aws in its devDependencies
  --data <folder>  where the local AWS keeps its data; default a folder that is removed afterwards
  --keep           leave it serving until Ctrl-C
  --json           one JSON document on stdout
`;

/** Above the 50 requests a second that the engine promises to lose none of. */
const PER_SECOND = 60;
/** How long each release serves under load before the next step. */
const SERVE_MS = 5_000;

const stop = new AbortController();
process.on("SIGINT", () => {
  if (stop.signal.aborted) process.exit(exit.interrupted);
  stop.abort();
});
const terminal = openTerminal(process.stdin, process.stdout, process.stderr);
try {
  process.exitCode = await demo();
} catch (error) {
  terminal.live(null);
  terminal.note(`${terminal.paintNote("red", "error:")} ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof CliError && error.next !== undefined) terminal.note(error.next);
  process.exitCode = stop.signal.aborted ? exit.interrupted : error instanceof CliError ? error.exitCode : exit.unexpected;
}

async function demo(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined) return exit.usage;
  const app = await findApp(resolve(options.app ?? join(import.meta.dirname, "../examples/next-app")));
  const dataDir = options.data === undefined ? await mkdtemp(join(tmpdir(), "shiplog-demo-")) : resolve(options.data);
  const began = Date.now();
  const step = (text: string): void => terminal.note(`\n${terminal.paintNote("bold", text)}`);

  step("Starting a local AWS");
  const { startDevelopment } = await import("../local/development.ts");
  const development = await startDevelopment({ dataDir, appDir: app, log: () => {} });
  try {
    const [place] = development.sites;
    if (place === undefined) throw new Error("the development server has no site");
    const { site, environment, url } = place;
    terminal.note(`${site}/${environment} will be at ${url}`);
    const context = openContext(terminal, stop.signal, { json: options.json });
    const api = openApi({ url: development.apiUrl, token: development.token, source: dataDir }, "demo", stop.signal);

    step("1. The first deployment: a real build, then live");
    const first = await deployOnce(context, api, app, { site, environment }, "the first release");

    step(`2. A load of ${PER_SECOND} requests a second, and a second deployment under it`);
    const targets = await findTargets(url);
    const load = startLoad({ url, targets, perSecond: PER_SECOND });
    terminal.note(`${targets.length} addresses: ${[...new Set(targets.map(({ kind }) => kind))].join(", ")}`);
    const second = await deployOnce(context, api, app, { site, environment }, "the second release");
    await sleep(SERVE_MS, undefined, { signal: stop.signal });

    step("3. A rollback under the same load");
    const builds = development.aws.codeBuild.counters().buildsStarted;
    const rollback = await rollBack(api, { site, environment }, undefined);
    const buildsStarted = development.aws.codeBuild.counters().buildsStarted - builds;
    terminal.note(`#${rollback.sequence} is live after ${rollback.ms} ms`);
    await sleep(SERVE_MS, undefined, { signal: stop.signal });
    const answers = await load.stop();

    const log = await readLog(development, began);
    const flips = flipsIn(log.commits);
    const outcome: Outcome = {
      deployments: [first, second],
      traffic: judge(answers, flips),
      flips,
      rollback: { ...rollback, buildsStarted },
      log,
    };
    const problems = problemsOf(outcome);
    if (options.json) terminal.document(documentOf(outcome, problems));
    else
      show(
        terminal,
        outcome,
        new Map([
          [first.id, "v1"],
          [second.id, "v2"],
        ]),
      );
    for (const problem of problems) terminal.note(`${terminal.paintNote("red", "did not hold:")} ${problem}`);
    if (problems.length === 0)
      terminal.note(`\n${terminal.paintNote("green", "Everything held")}, in ${Math.round((Date.now() - began) / 1_000)} s.`);
    if (options.keep) await keep(url, dataDir);
    else terminal.note("Next:  npm run demo -- --keep   or   npx shiplog dev --app <your app>");
    return problems.length === 0 ? exit.reached : exit.unexpected;
  } finally {
    await development.close();
    if (options.data === undefined) await rm(dataDir, { recursive: true, force: true });
  }
}

/** Serves until Ctrl-C. */
async function keep(url: string, dataDir: string): Promise<void> {
  terminal.note(`\nServing at ${url} until Ctrl-C. In another terminal:`);
  for (const command of ["status", "why", "unpin", "events --follow"]) terminal.note(`  npx shiplog --data ${dataDir} ${command}`);
  if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
}

function optionsOf(words: string[]) {
  try {
    const { values } = parseArgs({
      args: words,
      options: {
        app: { type: "string" },
        data: { type: "string" },
        keep: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (!values.help) return values;
    terminal.note(USAGE);
  } catch (error) {
    terminal.note(`${(error as Error).message}\n\n${USAGE}`);
  }
  return undefined;
}
