import type { DeploymentView } from "../domain/projections/views.ts";
import type { Api } from "./api.ts";
import type { Context } from "./context.ts";
import { openStory } from "./deployment-story.ts";
import { durationOption } from "./duration.ts";
import type { Environment } from "./environment.ts";
import { type ExitCode, exit } from "./failure.ts";
import { followDeployment } from "./follow-deployment.ts";
import { liveOf, printOutcome, readOutcome } from "./outcome.ts";

/** The options of every command that may wait for a deployment. `wait` is false with --no-wait. */
export type WatchOptions = { readonly wait: boolean; readonly timeout?: string; readonly follow?: boolean };

/** `--timeout` in ms, checked before anything is asked of the engine. */
export const timeoutOf = ({ timeout }: WatchOptions): number | undefined =>
  timeout === undefined ? undefined : durationOption("--timeout", timeout);

/** How long the last look at a deployment may take after Ctrl-C. */
const LAST_LOOK_MS = 2_000;

/** Follows a deployment that was just asked for, prints what it came to, and returns the exit code. */
export async function watchDeployment(
  context: Context,
  api: Api,
  deployment: DeploymentView,
  before: Environment,
  options: WatchOptions & { pastHeld?: boolean },
): Promise<ExitCode> {
  const live = liveOf(before);
  if (!options.wait) {
    if (context.json) context.terminal.document({ deployment, url: before.url, liveBefore: live, liveAfter: live });
    else context.terminal.result(deployment.id);
    context.terminal.note(`Watch it:  shiplog events ${deployment.id} --follow`);
    return exit.reached;
  }
  const story = openStory(context.terminal, options.follow === true);
  const ending = await followDeployment(api, deployment.id, story, {
    stop: context.signal,
    timeoutMs: timeoutOf(options),
    pastHeld: options.pastHeld === true,
  });
  const stopped = ending.is === "interrupted";
  const { outcome, after } = await readOutcome(
    stopped ? context.api(AbortSignal.timeout(LAST_LOOK_MS)) : api,
    deployment.id,
    ending,
    before,
  ).catch((error) => {
    if (!stopped) throw error;
    return { outcome: { deployment, url: before.url, liveBefore: live, liveAfter: live }, after: before };
  });
  return printOutcome(context, outcome, ending, after, { error: story.error(), tail: story.tail() });
}
