import { randomUUID } from "node:crypto";
import type { Context, Register } from "../context.ts";
import type { ExitCode } from "../failure.ts";
import { timeoutOf, type WatchOptions, watchDeployment } from "../watch-deployment.ts";

type Options = WatchOptions & { readonly reason?: string };

/** Deploys the same source again as a new deployment; a build that was finished is taken over. */
export const retryCommand: Register = (program, run) =>
  void program
    .command("retry")
    .description("deploy the same source again; a finished build is used again")
    .argument("<id>", "the deployment that failed or was cancelled")
    .option("--reason <text>", "kept in the audit trail")
    .option("--no-wait", "do not wait for the end")
    .option("--timeout <duration>", "stop waiting after for example 10m; the deployment goes on")
    .option("--follow", "also show the build's output")
    .action((id: string, options: Options) => run((context) => retry(context, id, options)));

async function retry(context: Context, id: string, options: Options): Promise<ExitCode> {
  timeoutOf(options);
  const api = context.api();
  const { deployment: old } = await api.deployment(id);
  const before = await api.environment(old.site, old.environment);
  const deployment = await api.retry(old.id, options.reason, randomUUID());
  context.terminal.note(`${deployment.id} tries ${old.id} again${deployment.reusedFrom === null ? "" : ", with its finished build"}`);
  return watchDeployment(context, api, deployment, before, options);
}
