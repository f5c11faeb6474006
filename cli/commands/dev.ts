import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { findConnection } from "../connection.ts";
import type { Context, Register } from "../context.ts";
import { readEnvFiles } from "../env-files.ts";
import { CliError, type ExitCode, exit, usageError } from "../failure.ts";
import { firstDeploy } from "../redeploy.ts";
import { SITES_FILE } from "../site-sources.ts";
import { table } from "../terminal.ts";

type Options = {
  readonly app?: string;
  readonly sites?: string;
  readonly port?: string;
  readonly account?: string;
  readonly envFile?: readonly string[];
  readonly allowLoopbackWebhooks?: boolean;
};

/** Runs the whole engine on this machine until Ctrl-C. Its modules are loaded by this command alone. */
export const devCommand: Register = (program, run) =>
  void program
    .command("dev")
    .description("run the whole engine on this machine")
    .option("--app <folder>", "one app, as the site of its folder's name")
    .option("--sites <file>", "the sites file; default: shiplog.sites.json where there is one")
    .option("--port <port>", "port of the API; default: a free one")
    .option(
      "--account <account>",
      "the quotas of the local AWS: `new` (1 build and 10 invocations at once, 15 calls of Lambda's API a second), `new,builds=0` (and no build); default: a usual account's",
    )
    .option(
      "--env-file <file>",
      "values of declared variables from a dotenv file, or <site>/<environment>=<file> (again for more); what `shiplog env` set stays",
      (one: string, before: readonly string[] | undefined) => [...(before ?? []), one],
    )
    .option("--allow-loopback-webhooks", "let webhooks go to this machine, also by http; default: public addresses only")
    .action((options: Options) => run((context) => develop(context, options)));

async function develop(
  { terminal, signal, data, json }: Context,
  { app, sites, port, account, envFile = [], allowLoopbackWebhooks = false }: Options,
): Promise<ExitCode> {
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535))
    throw usageError(`--port "${port}" is not a port.`, "Write a number from 0 to 65535.");
  if (process.env.SHIPLOG_STAGE)
    throw usageError(
      "SHIPLOG_STAGE names a stage on AWS, and this machine has none.",
      "Start it without: env -u SHIPLOG_STAGE shiplog dev",
    );
  const { accountNamed } = await import("../../local/account-limits.ts");
  const limits = account === undefined ? undefined : accountNamed(account);
  if (account !== undefined && limits === undefined)
    throw usageError(
      `--account "${account}" is no account of the local AWS.`,
      "Known: new, new,builds=0. Leave it away for a usual account.",
    );
  if (app !== undefined && existsSync(join(app, SITES_FILE)))
    terminal.note(
      `${join(app, SITES_FILE)} is not read, because of --app. To have what it declares:  shiplog dev --sites ${join(app, SITES_FILE)}`,
    );
  const envFiles = await readEnvFiles(envFile);
  const { startDevelopment } = await import("../../local/development.ts");
  const dataDir = resolve(data ?? (process.env.SHIPLOG_DATA || ".shiplog"));
  const development = await startDevelopment({
    dataDir,
    ...(sites === undefined ? {} : { sitesFile: resolve(sites) }),
    ...(app === undefined ? {} : { appDir: resolve(app) }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(limits === undefined ? {} : { account: limits }),
    envFiles,
    allowLoopbackWebhooks,
    log: (line: string) => terminal.note(line),
  }).catch((error: unknown) => {
    throw startProblem(error);
  });
  try {
    const { apiUrl, sites: running } = development;
    const { sites: sources = [] } = findConnection(dataDir, {}, process.cwd());
    if (json) terminal.document({ apiUrl, sites: running });
    else
      terminal.result(
        table([
          ["api", apiUrl],
          ["dashboard", `${apiUrl}/`],
          ...running.map(({ site, environment, url }) => [`${site}/${environment}`, url]),
        ]),
      );
    terminal.note(`Deploy from another terminal:  ${firstDeploy(running, sources, data)}      Stop with Ctrl-C.`);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    terminal.note("Stopping …");
    await development.close();
  }
  return exit.reached;
}

/** What the person can put right is told as such; the rest is a fault. */
function startProblem(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === "SitesRefused") return new CliError(exit.usage, "sites.refused", sentence(error.message), { cause: error });
  if (error.name === "AlreadyRunning") return new CliError(exit.conflict, "development.running", sentence(error.message), { cause: error });
  if (error.name === "PortTaken") return new CliError(exit.usage, "port.taken", sentence(error.message), { cause: error });
  if (error.name === "Damaged" && "next" in error)
    return new CliError(exit.unexpected, "data.damaged", sentence(error.message), { next: sentence(String(error.next)), cause: error });
  return error;
}
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
