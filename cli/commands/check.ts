import type { z } from "zod";
import type { ManyEnvironments } from "../../client/contract.ts";
import { findConnection } from "../connection.ts";
import type { Context, Register } from "../context.ts";
import { environmentName, resolveEnvironment } from "../environment.ts";
import { environmentFindings, examineApp, type KnownVariables, variableFindings, variablesOf } from "../examine-app.ts";
import { CliError, type ExitCode, exit } from "../failure.ts";
import { type Finding, unchecked } from "../finding.ts";
import { aboutApp, findApp } from "../next-app.ts";
import { showExamination } from "../show-examination.ts";
import { siteSources, sitesOf } from "../site-sources.ts";

type Options = { readonly site?: string; readonly env?: string };
type Environment = z.infer<typeof ManyEnvironments>["environments"][number];
type Known = Environment & { readonly values: KnownVariables };

/** How long an engine may take to answer: what it knows is a small part of what is looked at. */
const ASK_MS = 3_000;

/** Looks at everything that `deploy` looks at before it uploads anything, and changes nothing. */
export const checkCommand: Register = (program, run) =>
  void program
    .command("check")
    .description("what keeps an app from being deployed, and how to mend it")
    .argument("[dir]", "folder of the Next.js app", ".")
    .option("--site <site>", "default: the site whose source is that folder, else the only site")
    .option("--env <environment>", 'default: the only environment, else "production"')
    .action((folder: string, options: Options) => run((context) => check(context, folder, options)));

async function check(context: Context, folder: string, options: Options): Promise<ExitCode> {
  const app = await findApp(folder);
  const connection = connectionOf(context);
  const sources = siteSources("url" in connection ? connection.sites : undefined, app, process.env);
  const own = await sitesOf(app, sources);
  const about = await aboutApp(app, { sources, meant: options.site === undefined ? own : [options.site] });
  const asked = "url" in connection ? askEngine(context, options.site ?? (own.length === 1 ? own[0] : undefined), options) : connection;
  const [examined, engine] = await Promise.all([examineApp(app, about), asked]);
  const place = "site" in engine ? environmentName(engine) : (about.site?.name ?? "the site");
  const findings = [
    ...examined.findings,
    ...environmentFindings(examined, about, "site" in engine ? engine : undefined),
    ...("level" in engine ? [engine] : []),
    ...variableFindings(about, place, "site" in engine ? engine.values : { why: "no engine was asked" }),
  ];
  showExamination(context, app, { ...examined, findings });
  return findings.some(({ level }) => level === "error") ? exit.failed : exit.reached;
}

const connectionOf = ({ data }: Context) => {
  try {
    return findConnection(data, process.env, process.cwd());
  } catch (error) {
    return notAsked(error);
  }
};

async function askEngine(context: Context, site: string | undefined, { env }: Options): Promise<Known | Finding> {
  const late = AbortSignal.timeout(ASK_MS);
  try {
    const api = context.api(AbortSignal.any([context.signal, late]));
    const environment = await resolveEnvironment(api, { env, site });
    return { ...environment, values: await variablesOf(api, environment, late) };
  } catch (error) {
    if (context.signal.aborted) throw error;
    return notAsked(late.aborted ? new CliError(exit.unexpected, "unreachable", `It did not answer in ${ASK_MS / 1_000} s.`) : error);
  }
}

/** What only the engine knows goes unchecked, with why. */
function notAsked(error: unknown): Finding {
  if (!(error instanceof CliError)) throw error;
  const [why = ""] = error.message.split(/(?<=[.])\s/);
  return unchecked("engine.not-asked", `What the environment was made for was not checked. ${why}`, error.next);
}
