import { setTimeout as sleep } from "node:timers/promises";
import type { BuildError } from "../domain/build-error/find-build-error.ts";
import { placeIn } from "../domain/build-error/place.ts";
import type { DeploymentView } from "../domain/projections/views.ts";
import type { Api } from "./api.ts";
import type { Context } from "./context.ts";
import { type Environment, environmentName } from "./environment.ts";
import { type ExitCode, exit } from "./failure.ts";
import type { Ending } from "./follow-deployment.ts";
import { showBuildError, wholeLog } from "./show-build-error.ts";
import { plain, statusStyle, table } from "./terminal.ts";

const EXIT_CODES: Readonly<Record<Ending["is"], ExitCode>> = {
  success: exit.reached,
  failed: exit.failed,
  cancelled: exit.stopped,
  superseded: exit.stopped,
  held: exit.held,
  timeout: exit.timeout,
  interrupted: exit.interrupted,
};
export const exitCodeOf = (ending: Ending): ExitCode => EXIT_CODES[ending.is];

/** What a deployment came to: printed, or as it is with --json. */
export type Outcome = {
  readonly deployment: DeploymentView;
  readonly url: string;
  readonly liveBefore: Live;
  readonly liveAfter: Live;
};
type Live = { readonly deploymentId: string; readonly sequence: number } | null;

/** How long the views may lag behind the log before the log's own word is taken. */
const LAG_MS = 5_000;

/** The views once they know what the log already has; `after` is the environment as it is then. */
export async function readOutcome(
  api: Api,
  id: string,
  ending: Ending,
  before: Environment,
): Promise<{ outcome: Outcome; after: Environment }> {
  for (const until = Date.now() + LAG_MS; ; await sleep(200)) {
    const [{ deployment }, after] = await Promise.all([api.deployment(id), api.environment(before.site, before.environment)]);
    const shown = deployment.version >= ending.version && (ending.is !== "success" || (after.live?.sequence ?? 0) >= deployment.sequence);
    if (!shown && ended(ending) && Date.now() < until) continue;
    const known = ended(ending) ? { ...deployment, status: ending.is } : deployment;
    return { outcome: { deployment: known, url: after.url, liveBefore: liveOf(before), liveAfter: liveOf(after) }, after };
  }
}

const ended = (ending: Ending): ending is Ending & { is: "success" | "failed" | "cancelled" | "superseded" | "held" } =>
  ending.is !== "timeout" && ending.is !== "interrupted";

export const liveOf = ({ live }: Environment): Live =>
  live === null ? null : { deploymentId: live.deploymentId, sequence: live.sequence };
export const showLive = (live: Live): string => (live === null ? "nothing" : `${live.deploymentId} (#${live.sequence})`);

/** What a build wrote: its error, where it is known, and its last lines. */
export type BuildOutput = { readonly error: BuildError | undefined; readonly tail: readonly string[] };

/** Prints the result on stdout and what to do next on stderr. Returns the exit code. */
export function printOutcome(
  { terminal, json }: Context,
  outcome: Outcome,
  ending: Ending,
  after: Environment,
  output: BuildOutput,
): ExitCode {
  const { deployment, url } = outcome;
  if (deployment.status === "failed" && deployment.step === "build") showBuildOutput(terminal, deployment.id, output);
  if (json) terminal.document({ ...outcome, ...buildErrorOf(deployment, output) });
  else {
    const rows = [
      ["id", deployment.id],
      ["status", terminal.paint(statusStyle(deployment.status), deployment.status)],
      ...(deployment.status === "failed" && deployment.step !== null ? [["step", deployment.step]] : []),
      ...(deployment.reason === null ? [] : [["reason", plain(deployment.reason)]]),
      ["url", url],
      ["live", showChange(outcome)],
    ];
    terminal.result(table(rows, terminal.columns));
  }
  for (const hint of hints(deployment, ending, after, output.error)) terminal.note(hint);
  return EXIT_CODES[ending.is];
}

/** Why a build failed, for programs: with its place in the app, where that is known. */
const buildErrorOf = ({ status, step }: DeploymentView, { error }: BuildOutput): object => {
  if (status !== "failed" || step !== "build") return {};
  if (error === undefined) return { buildError: null };
  const { kind, summary, context, marked } = error;
  return { buildError: { kind, summary, place: placeIn(summary) ?? null, context, marked } };
};

function showBuildOutput(terminal: Context["terminal"], id: string, { error, tail }: BuildOutput): void {
  if (error === undefined && tail.length === 0) return;
  if (error !== undefined) showBuildError(terminal, error);
  else {
    terminal.note(`\nThe last ${tail.length} lines of the build:`);
    for (const line of tail) terminal.note(`  ${line}`);
  }
  terminal.note(`${wholeLog(id)}\n`);
}

/** What is live now, and whether that is this deployment's doing: another one may have gone live meanwhile. */
function showChange({ deployment, liveBefore, liveAfter }: Outcome): string {
  if (liveBefore?.sequence === liveAfter?.sequence) return `${showLive(liveAfter)}, unchanged`;
  if (liveAfter?.deploymentId === deployment.id) return `${showLive(liveBefore)} → ${showLive(liveAfter)}`;
  return `${showLive(liveAfter)}, which went live meanwhile`;
}

function hints(deployment: DeploymentView, ending: Ending, after: Environment, error: BuildError | undefined): readonly string[] {
  const { id } = deployment;
  switch (ending.is) {
    case "success":
      return [];
    case "failed":
      return [
        `Look closer:  shiplog inspect ${id}`,
        // the same source fails again where what it says is wrong
        ...(deployment.step === "build" && error?.canRetryHelp === false ? [] : [`Try again:    shiplog retry ${id}`]),
      ];
    case "cancelled":
      return [`To deploy it after all:  shiplog retry ${id}`];
    case "superseded":
      return [`A newer deployment took its place. See it:  shiplog status ${environmentName(deployment)}`];
    case "held":
      return explainHold(after);
    case "timeout":
      return ["Stopped waiting: the time is up. The deployment goes on.", ...lookAgain(deployment)];
    case "interrupted":
      return ["Stopped watching. The deployment goes on.", ...lookAgain(deployment)];
  }
}

const lookAgain = (deployment: { id: string; site: string; environment: string }): readonly string[] => [
  `Watch again:  shiplog events ${deployment.id} --follow`,
  `See what is live:  shiplog status ${environmentName(deployment)}`,
];

/** Why a ready deployment waits, and what lets it go on. */
function explainHold(environment: Environment): readonly string[] {
  const place = environmentName(environment);
  const lines: string[] = [];
  if (environment.pin !== null)
    lines.push(
      `${place} is pinned by ${plain(environment.pin.actor)}: ${plain(environment.pin.reason)}`,
      `To let it go live:  shiplog unpin ${place}`,
    );
  if (environment.lock !== null)
    lines.push(
      `${place} is locked by ${plain(environment.lock.holder)}${environment.lock.until === null ? "" : ` until ${environment.lock.until}`}: ${plain(environment.lock.reason)}`,
      `To let it go live:  shiplog unlock ${place}`,
    );
  return lines;
}
