import { randomUUID } from "node:crypto";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { openStory } from "../deployment-story.ts";
import { environmentName } from "../environment.ts";
import { CliError, type ExitCode, exit } from "../failure.ts";
import { followDeployment } from "../follow-deployment.ts";
import { exitCodeOf } from "../outcome.ts";
import { timeoutOf, type WatchOptions } from "../watch-deployment.ts";

type Options = WatchOptions & { readonly reason?: string; readonly yes?: boolean };

/** Cancels a deployment and waits until its build was seen stopped. */
export const cancelCommand: Register = (program, run) =>
  void program
    .command("cancel")
    .description("stop a deployment that has not gone live")
    .argument("<id>", "the deployment")
    .option("--reason <text>", "kept in the audit trail")
    .option("--no-wait", "do not wait until the build was seen stopped")
    .option("--timeout <duration>", "stop waiting after for example 2m; the cancelling goes on")
    .option("-y, --yes", "do not ask")
    .action((id: string, options: Options) => run((context) => cancel(context, id, options)));

async function cancel(context: Context, id: string, options: Options): Promise<ExitCode> {
  const { terminal, json, signal } = context;
  const timeoutMs = timeoutOf(options);
  const api = context.api();
  const { deployment } = await api.deployment(id);
  // of one that has ended there is nothing to ask: the rules say so
  if (deployment.endedAt === null)
    await confirm(context, `Cancel ${deployment.id} to ${environmentName(deployment)}, which is ${deployment.status}?`, options.yes);

  const cancelling = await api.cancel(deployment.id, options.reason, randomUUID());
  const show = (status: string) =>
    json ? terminal.document({ deployment: { ...cancelling, status } }) : terminal.result(`${cancelling.id} ${status}`);
  if (!options.wait) {
    show(cancelling.status);
    return exit.reached;
  }

  const ending = await followDeployment(api, cancelling.id, openStory(terminal, false), { stop: signal, timeoutMs, pastHeld: true });
  const again = { next: `See how it stands:  shiplog inspect ${cancelling.id}` };
  if (ending.is === "interrupted") throw new CliError(exit.interrupted, "interrupted", "Stopped watching. The cancelling goes on.", again);
  if (ending.is === "timeout")
    throw new CliError(exit.timeout, "timeout", "Stopped waiting: the time is up. The cancelling goes on.", again);
  show(ending.is);
  if (ending.is === "cancelled" || ending.is === "superseded") return exit.reached;
  terminal.note(
    ending.is === "success"
      ? "It went live before it could be cancelled. Go back:  shiplog rollback"
      : "It failed before it could be cancelled.",
  );
  return ending.is === "success" ? exit.conflict : exitCodeOf(ending);
}
