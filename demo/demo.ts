import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Api, openApi } from "../cli/api.ts";
import { openContext } from "../cli/context.ts";
import { showDuration } from "../cli/duration.ts";
import { CliError, exit, usageError } from "../cli/failure.ts";
import { findApp } from "../cli/next-app.ts";
import { openTerminal, table } from "../cli/terminal.ts";
import type { Development } from "../local/development.ts";
import { publicKeyOf, verifySealed } from "./evidence.ts";
import { type Load, startLoad } from "./load.ts";
import { type Listener, listen } from "./messages.ts";
import { deployOnce, flipsIn, readLog, rollBack } from "./scenario.ts";
import { documentOf, type Outcome, problemsOf, show } from "./summary.ts";
import { findTargets } from "./targets.ts";
import { judge, metSoFar } from "./verdict.ts";

const USAGE = `npm run demo -- [options]

Starts a local AWS, deploys a Next.js app, deploys it again under load, rolls back, and shows what happened: the timeline,
the load, why the live version is live, the verified log, and what a receiver of webhooks was told.

  --app <folder>   another Next.js app with @opennextjs/aws in its devDependencies
  --data <folder>  where the local AWS keeps its data, a new or empty folder; default one that is removed afterwards
  --keep           leave it serving until Ctrl-C, and keep its data
  --json           one JSON document on stdout

Exit codes: 0 everything held, 1 something did not, 2 wrong usage, 130 Ctrl-C`;

const NEXT = `Next
${table([
  ["", "npm run demo -- --keep", "leave it serving, and look around"],
  ["", "npm run demo -- --app ../your-app", "the same with your own Next.js app"],
  ["", "npx shiplog dev --app ../your-app", "the whole engine on this machine, for your app"],
])}`;

/** Above the 50 requests a second that the engine promises to lose none of. */
const PER_SECOND = 60;
/** What each release answers under load before the next step; it need not wait longer than that. */
const SERVED = 150;
const SERVE_MS = 30_000;
/** Between two words about the load. */
const TELL_MS = 20_000;

const stop = new AbortController();
const interrupt = (): void => {
  if (stop.signal.aborted) process.exit(exit.interrupted);
  stop.abort();
};
process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);
const terminal = openTerminal(process.stdin, process.stdout, process.stderr);
const wantsJson = process.argv.includes("--json");
try {
  process.exitCode = await demo();
} catch (error) {
  terminal.live(null);
  process.exitCode = report(error);
}

async function demo(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (options.help) {
    terminal.result(USAGE);
    return exit.reached;
  }
  const app = await findApp(resolve(options.app ?? join(import.meta.dirname, "../examples/next-app")));
  const dataDir = options.data === undefined ? await mkdtemp(join(tmpdir(), "shiplog-demo-")) : await freshFolder(options.data);
  let development: Development | undefined;
  try {
    step("Starting a local AWS");
    const { startDevelopment } = await import("../local/development.ts");
    const begun = Date.now();
    development = await startDevelopment({ tableDelayMs: 0, dataDir, appDir: app, allowLoopbackWebhooks: true, log: () => {} });
    const url = development.sites[0]?.url ?? "";
    terminal.note(`ready in ${showDuration(Date.now() - begun)}; the site will be at ${url}`);

    const outcome = await play(development, app, dataDir);
    const problems = problemsOf(outcome);
    if (options.json) terminal.document(documentOf(outcome, problems));
    else show(terminal, outcome);
    for (const problem of problems) terminal.note(`${terminal.paintNote("red", "did not hold:")} ${problem}`);
    if (problems.length === 0)
      terminal.note(`\n${terminal.paintNote("green", "Everything held")}, in ${showDuration(Date.now() - begun)}.`);
    if (options.keep) await keep(url, development.apiUrl, dataDir);
    else terminal.note(`\n${NEXT}`);
    return problems.length === 0 ? exit.reached : exit.unexpected;
  } finally {
    terminal.live(null);
    await development?.close();
    if (options.keep) terminal.note(`Its data is in ${dataDir}`);
    else if (options.data === undefined) await rm(dataDir, { recursive: true, force: true });
  }
}

/** The story, with somebody listening to it. */
async function play(development: Development, app: string, dataDir: string): Promise<Outcome> {
  const api = openApi({ url: development.apiUrl, token: development.token, source: dataDir }, { actor: "demo", signal: stop.signal });
  const listener = await listen(api);
  try {
    return await live(development, api, listener, app);
  } finally {
    await listener.close();
  }
}

/** Live, replaced under load, rolled back under load; then what the log has to say. */
async function live(development: Development, api: Api, listener: Listener, app: string): Promise<Outcome> {
  const began = Date.now();
  const [running] = development.sites;
  if (running === undefined) throw new Error("the development server has no site");
  const { url, ...place } = running;
  const context = openContext(terminal, stop.signal, {});
  const { codeBuild } = development.aws;
  const publicKey = await publicKeyOf(api);

  step("1  The first deployment: a real build, then live");
  const first = await deployOnce(context, api, app, place, "the first release");

  step(`2  The second deployment, under a load of ${PER_SECOND} requests a second`);
  const targets = await findTargets(url);
  terminal.note(`load: ${targets.length} addresses (${[...new Set(targets.map(({ kind }) => kind))].join(", ")})`);
  const load = startLoad({ url, targets, perSecond: PER_SECOND });
  const telling = setInterval(() => tell(load), TELL_MS);
  try {
    const second = await deployOnce(context, api, app, place, "the second release");
    await served(load, second.sequence);

    step("3  The rollback, under the same load");
    const builds = codeBuild.counters().buildsStarted;
    const rollback = await rollBack(api, place, undefined);
    terminal.note(`#${rollback.sequence} was live after ${rollback.ms} ms`);
    await served(load, rollback.sequence);
    const buildsStarted = codeBuild.counters().buildsStarted - builds;
    const answers = await load.stop();

    step("4  The log: why, whether it is as it was written, and who was told");
    const why = await api.why(place.site, place.environment, undefined);
    const messages = await listener.heard(rollback.sequence, stop.signal);
    const log = await readLog(development, began);
    const flips = flipsIn(log.commits);
    const verified = await verifySealed(api, publicKey, stop.signal);
    return {
      deployments: [first, second],
      traffic: judge(answers, flips),
      flips,
      rollback: { ...rollback, buildsStarted },
      log,
      why,
      verified,
      messages,
    };
  } finally {
    clearInterval(telling);
    await load.abandon();
  }
}

function step(text: string): void {
  terminal.note(`\n${terminal.paintNote("bold", text)}`);
}

/** Waits until what is live with this sequence has answered for a while. */
async function served({ answers }: Load, sequence: number): Promise<void> {
  const enough = (): boolean => answers.filter((answer) => answer.sequence === sequence).length >= SERVED;
  for (const until = Date.now() + SERVE_MS; !enough() && Date.now() < until; ) await sleep(100, undefined, { signal: stop.signal });
}

/** What the load met so far; what the flips say about it is judged at the end. */
function tell({ answers }: Load): void {
  terminal.note(`          ${terminal.paintNote("dim", `load: ${metSoFar(answers)}`)}`);
}

/** Serves until Ctrl-C. */
async function keep(url: string, dashboard: string, dataDir: string): Promise<void> {
  const shiplog = `npx shiplog --data ${dataDir}`;
  terminal.note(`
Serving at ${url} until Ctrl-C. The dashboard is at ${dashboard}. In another terminal:
${table([
  ["", `${shiplog} open`, "the dashboard, signed in"],
  ["", `${shiplog} status`, "what is live, why, and how to undo it"],
  ["", `${shiplog} why`, "from the first request on"],
  ["", `${shiplog} unpin`, "let deployments go live again"],
  ["", `${shiplog} events --follow`, "the log, as it grows"],
])}`);
  if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
  terminal.note("\nStopping …");
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
    return values;
  } catch (error) {
    throw usageError((error as Error).message, `\n${USAGE}`);
  }
}

/** The demo's figures are about one story from its beginning, so it needs a place without a past. */
async function freshFolder(named: string): Promise<string> {
  const folder = resolve(named);
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw usageError(`${folder} cannot be used for --data: ${error.message}.`, "Name a new or empty folder.");
  });
  if (found.length > 0)
    throw usageError(
      `${folder} is not empty: the demo starts with a fresh local AWS.`,
      `Name a new folder. To go on with what is there:  npx shiplog dev --data ${named}`,
    );
  return folder;
}

/** Says what went wrong, with --json as the one document too, and gives the exit code. */
function report(error: unknown): number {
  const interrupted = stop.signal.aborted;
  const message = interrupted ? "Interrupted." : error instanceof Error ? error.message : String(error);
  terminal.note(`${terminal.paintNote("red", "error:")} ${message}`);
  if (!interrupted && error instanceof CliError && error.next !== undefined) terminal.note(error.next);
  if (process.env.SHIPLOG_DEBUG === "1" && error instanceof Error) terminal.note(String(error.stack));
  const code = interrupted ? "interrupted" : error instanceof CliError ? error.code : "unexpected";
  if (wantsJson) terminal.document({ error: { code, message } });
  if (interrupted) return exit.interrupted;
  return error instanceof CliError && error.exitCode === exit.usage ? exit.usage : exit.unexpected;
}
