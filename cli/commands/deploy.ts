import { randomUUID } from "node:crypto";
import type { Context, Register } from "../context.ts";
import type { ExitCode } from "../failure.ts";
import { readGitCommit } from "../git-commit.ts";
import { findApp } from "../next-app.ts";
import { placeName, resolvePlace } from "../place.ts";
import { uploadSource } from "../upload-source.ts";
import { timeoutOf, type WatchOptions, watchDeployment } from "../watch-deployment.ts";

type Options = WatchOptions & { readonly site?: string; readonly env?: string; readonly reason?: string };

/** Uploads an app's source, asks for a deployment, and follows it to its end. */
export const deployCommand: Register = (program, run) =>
  void program
    .command("deploy")
    .description("build an app and bring it live")
    .argument("<dir>", "folder of the Next.js app")
    .option("--site <site>", "default: the only site")
    .option("--env <environment>", 'default: the only environment, else "production"')
    .option("--reason <text>", "kept in the audit trail")
    .option("--no-wait", "do not wait for the end")
    .option("--timeout <duration>", "stop waiting after for example 10m; the deployment goes on")
    .option("--follow", "also show the build's output")
    .action((folder: string, options: Options) => run((context) => deploy(context, folder, options)));

async function deploy(context: Context, folder: string, options: Options): Promise<ExitCode> {
  timeoutOf(options);
  const app = await findApp(folder);
  const api = context.api();
  const [before, commit] = await Promise.all([resolvePlace(api, options), readGitCommit(app)]);
  const { site, environment } = before;

  const source = await uploadSource(context, api, app, site);
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
    `${deployment.id} to ${placeName(before)}${commit === undefined ? "" : `, commit ${commit.sha.slice(0, 7)}${commit.dirty ? " with changes" : ""}`}`,
  );
  return watchDeployment(context, api, deployment, before, options);
}
