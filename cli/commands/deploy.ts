import { randomUUID } from "node:crypto";
import { confirm } from "../confirm.ts";
import { findConnection, type SiteSource } from "../connection.ts";
import type { Context, Register } from "../context.ts";
import { type Environment, environmentName, resolveEnvironment } from "../environment.ts";
import { type Examined, environmentFindings, examineApp, variableFindings, variablesOf } from "../examine-app.ts";
import { CliError, type ExitCode } from "../failure.ts";
import { findingLines, isError, refusalOf } from "../finding.ts";
import { readGitCommit } from "../git-commit.ts";
import { aboutApp, findApp } from "../next-app.ts";
import { siteSources, sitesOf } from "../site-sources.ts";
import { plain } from "../terminal.ts";
import { uploadSource } from "../upload-source.ts";
import { timeoutOf, type WatchOptions, watchDeployment } from "../watch-deployment.ts";

type Options = WatchOptions & { readonly site?: string; readonly env?: string; readonly reason?: string; readonly yes?: boolean };

/** Uploads an app's source, asks for a deployment, and follows it to its end. */
export const deployCommand: Register = (program, run) =>
  void program
    .command("deploy")
    .description("build an app and bring it live")
    .argument("<dir>", "folder of the Next.js app")
    .option("--site <site>", "default: the site whose source is that folder, else the only site")
    .option("--env <environment>", 'default: the only environment, else "production"')
    .option("--reason <text>", "kept in the audit trail")
    .option("-y, --yes", "do not ask where the folder is not the site's source")
    .option("--no-wait", "do not wait for the end")
    .option("--timeout <duration>", "stop waiting after for example 10m; the deployment goes on")
    .option("--follow", "also show the build's output")
    .action((folder: string, options: Options) => run((context) => deploy(context, folder, options)));

async function deploy(context: Context, folder: string, options: Options): Promise<ExitCode> {
  timeoutOf(options);
  const app = await findApp(folder);
  const api = context.api();
  const sources = siteSources(findConnection(context.data, process.env, process.cwd()).sites, app, process.env);
  const own = await sitesOf(app, sources);
  const about = await aboutApp(app, { sources, meant: options.site === undefined ? own : [options.site] });
  const examined = await examineApp(app, about);
  const before = await unlessUnfit(examined, app, () =>
    resolveEnvironment(api, { env: options.env, site: options.site ?? (own.length === 1 ? own[0] : undefined) }),
  );
  const findings = [
    ...examined.findings,
    ...environmentFindings(examined, about, before),
    ...variableFindings(about, environmentName(before), await variablesOf(api, before)),
  ];
  for (const finding of findings.filter(({ level }) => level === "warning"))
    for (const line of findingLines(finding, context.terminal.paintNote)) context.terminal.note(line);
  const errors = findings.filter(isError);
  if (errors.length > 0) throw refusalOf(errors, app);
  await confirmSource(context, app, before, { sources, own }, options);
  const { site, environment } = before;
  const { layout } = examined;

  const { source, entries, envFiles } = await uploadSource(context, api, layout, site);
  const { commit, note } = await readGitCommit(layout.root, entries, envFiles);
  if (note !== undefined) context.terminal.note(`note: ${plain(note)}`);
  const deployment = await api.deploy(
    {
      site,
      environment,
      source,
      ...(commit === undefined ? {} : { commit }),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    },
    randomUUID(),
  );
  context.terminal.note(
    `${deployment.id} to ${environmentName(before)}${commit === undefined ? "" : `, commit ${commit.sha.slice(0, 7)}${commit.dirty ? " with changes" : ""}`}`,
  );
  return watchDeployment(context, api, deployment, before, options);
}

/** Where an app cannot be deployed, whatever else goes wrong is told after that. */
async function unlessUnfit<T>({ findings }: Examined, app: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const errors = findings.filter(isError);
    throw error instanceof CliError && errors.length > 0 ? refusalOf(errors, app) : error;
  }
}

/** Asks where the folder is known not to be the source of its site. */
async function confirmSource(
  context: Context,
  app: string,
  place: Environment,
  { sources, own }: { sources: readonly SiteSource[]; own: readonly string[] },
  options: Options,
): Promise<void> {
  const declared = sources.find(({ site }) => site === place.site)?.folder;
  if (declared === undefined || own.includes(place.site)) return;
  const whose = own.length === 0 ? "" : `, but of ${own.join(" and ")}`;
  await confirm(
    context,
    `${plain(app)} is not the source of the site ${place.site} (${plain(declared)})${whose}. Deploy it to ${environmentName(place)} all the same?`,
    options.yes,
  );
}
