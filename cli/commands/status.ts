import { changedVariables } from "../../domain/projections/changed-variables.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { isEnd, Status } from "../../domain/projections/views.ts";
import type { Api } from "../api.ts";
import type { SiteSource } from "../connection.ts";
import type { Context, Register } from "../context.ts";
import { atOption, msOf, showAge } from "../duration.ts";
import { type Environment, environmentName, resolveEnvironment, type Whereabouts, whereabouts } from "../environment.ts";
import { CliError } from "../failure.ts";
import { sayMarked } from "../marked.ts";
import { redeploy, sourcesHere } from "../redeploy.ts";
import { name, type RollbackPlan, tookDown } from "../rollback-plan.ts";
import { showCommit } from "../show-commit.ts";
import { overview } from "../status-overview.ts";
import { plain, table } from "../terminal.ts";

/** Shows at a glance what is live, why, what waits, and how to undo it; of the past, only what was so. */
export const statusCommand: Register = (program, run) =>
  void program
    .command("status")
    .description("what is live, why, and what waits")
    .argument("[place]", "<site>/<environment>, or a site; default: all")
    .option("--site <site>", "only this site")
    .option("--env <environment>", "only this environment")
    .option("--at <moment>", "as of a time, how long ago (2h), or a position of the log")
    .action((place: string | undefined, { at, ...options }: Whereabouts & { at?: string }) =>
      run((context) => status(context, whereabouts(place, options), at)),
    );

export type Glance = {
  readonly environment: Environment;
  readonly liveDeployment: DeploymentView | null;
  readonly underWay: readonly DeploymentView[];
  /** what a rollback would do; of the past, of many environments, and where there is nothing to go back to, null */
  readonly rollback: RollbackPlan | null;
  /** the newest that failed since what is live was asked for */
  readonly failed: DeploymentView | null;
  /** variables whose values are others than what is live was given */
  readonly changedVariables: readonly string[];
};

async function status(context: Context, given: Whereabouts, moment: string | undefined): Promise<undefined> {
  const { terminal, json } = context;
  const api = context.api();
  const at = moment === undefined ? undefined : atOption(moment, Date.now());
  const environments = await chosen(api, given, at);
  const isMany = environments.length > FEW && at === undefined;
  const storage = at === undefined && !json ? codeStorage(api) : undefined;
  const glances = isMany
    ? await glanceAtAll(api, given, environments)
    : await Promise.all(environments.map((one) => glanceAt(api, one, at)));
  if (json) terminal.document({ environments: glances });
  else if (glances.length === 0) terminal.note("No site is declared. Add one to the sites file.");
  else if (isMany) {
    terminal.result(overview(glances, Date.now(), terminal.columns));
    terminal.note(`More of one of them:  shiplog status <site>/<environment>`);
  } else {
    const bold = (text: string) => terminal.paint("bold", text);
    const help = at === undefined ? { sources: sourcesHere(context) } : undefined;
    const shown = glances.map((glance) => show(glance, bold, at === undefined ? Date.now() : msOf(at), help));
    terminal.result([...(at === undefined ? [] : [momentLine(at)]), ...shown].join("\n\n"));
  }
  const full = await storage;
  if (full !== undefined) terminal.note(full);
  return undefined;
}

/** A remark where nothing can be published soon; none where it cannot be had: an older engine has none, and not everybody may ask. */
const codeStorage = async (api: Api): Promise<string | undefined> => {
  const health = await api.engineHealth("code-storage").catch((error: unknown) => {
    if (error instanceof CliError) return undefined;
    throw error;
  });
  const found = health?.findings.find(({ part, state }) => part === "code-storage" && state !== "ok");
  return found && `${found.says}${found.next === null ? "" : `  See what goes:  ${found.next}`}`;
};

const momentLine = (at: string): string => `As of ${/^\d{15}$/.test(at) ? `position ${at}` : at}`;

/** Where nothing is given, everything; where only a part is given, all that it fits. An unknown name is an error that lists the choices. */
async function chosen(api: Api, given: Whereabouts, at: string | undefined): Promise<readonly Environment[]> {
  const all = await api.environments(at);
  const fitting = all.filter(
    ({ site, environment }) => (given.site === undefined || given.site === site) && (given.env === undefined || given.env === environment),
  );
  return fitting.length > 0 || all.length === 0 ? fitting : [await resolveEnvironment(api, given)];
}

/** All by a dozen requests, and one more for every hundred of them. */
async function glanceAtAll(api: Api, { site, env }: Whereabouts, environments: readonly Environment[]): Promise<Glance[]> {
  const ids = environments.flatMap(({ live }) => live?.deploymentId ?? []);
  const pages = Array.from({ length: Math.ceil(ids.length / IDS) }, (_, page) => ids.slice(page * IDS, (page + 1) * IDS));
  const listed = (status: Status) => api.deployments({ site, environment: env, status, limit: NEWEST });
  const [noted, lives] = await Promise.all([
    Promise.all(NOTED.map(listed)),
    Promise.all(pages.map((page) => api.deployments({ ids: page.join(",") }))),
  ]);
  const live = new Map(lives.flat().map((deployment) => [deployment.id, deployment]));
  const newest = noted.flat().sort((a, b) => b.sequence - a.sequence);
  const recent = Map.groupBy(newest, (deployment) => environmentName(deployment));
  return environments.map((environment) =>
    glanceOf(environment, live.get(environment.live?.deploymentId ?? "") ?? null, recent.get(environmentName(environment)) ?? [], null),
  );
}

/** Environments of which each is shown whole: more are a line each. */
const FEW = 10;
/** Deployments that one request names, and that the API lists at most. */
const IDS = 100;
const NEWEST = 200;
/** What a line has room for: all that is under way, and what failed. */
const NOTED = Status.options.filter((status) => !isEnd(status) || status === "failed");

async function glanceAt(api: Api, environment: Environment, at: string | undefined): Promise<Glance> {
  const [live, recent, rollback] = await Promise.all([
    environment.live === null ? null : api.deployment(environment.live.deploymentId, at),
    api.deployments({ site: environment.site, environment: environment.environment, limit: 20, at }),
    at === undefined && environment.live !== null ? api.rollbackPlan(environment.site, environment.environment) : null,
  ]);
  return glanceOf(environment, live?.deployment ?? null, recent, rollback?.plan ?? null);
}

/** @param recent its newest deployments, newest first */
function glanceOf(
  environment: Environment,
  live: DeploymentView | null,
  recent: readonly DeploymentView[],
  rollback: RollbackPlan | null,
): Glance {
  const isNewer = ({ sequence }: DeploymentView) => sequence > (live?.sequence ?? 0);
  return {
    environment,
    liveDeployment: live,
    underWay: recent.filter((deployment) => !isEnd(deployment.status)),
    failed: recent.find((deployment) => deployment.status === "failed" && isNewer(deployment)) ?? null,
    rollback,
    changedVariables: live === null ? [] : changedVariables(environment, live, environment.declaredVariables),
  };
}

/** @param helping of the past without: commands that help on would act on what is so today */
function show(
  { environment, liveDeployment, underWay, failed, rollback, changedVariables: changed }: Glance,
  bold: (text: string) => string,
  now: number,
  helping: { readonly sources: readonly SiteSource[] } | undefined,
): string {
  const { live, flipping, waiting, pin, lock, drifts, warnings, url } = environment;
  const place = environmentName(environment);
  const rows: [string, string][] = [];
  const help = (text: string): string => (helping === undefined ? "" : text);
  const deploy = redeploy(environment, helping?.sources ?? []);

  if (live === null) rows.push(["live", `nothing yet${help(`:  ${deploy}`)}`]);
  else {
    const verb = { deploy: "deployed", rollback: "rolled back", promote: "promoted", restore: "restored" }[live.reason];
    rows.push(["live", `${live.deploymentId} (#${live.sequence}), ${verb} by ${plain(live.actor)} ${showAge(live.at, now)}`]);
  }
  if (liveDeployment?.commit) rows.push(["commit", showCommit(liveDeployment.commit)]);
  const address = live === null ? undefined : environment.routes.find(({ until }) => until === null);
  if (address !== undefined) rows.push(["address", `r-${address.address} · ${address.host}`]);
  const why = live?.reason === "deploy" ? liveDeployment?.why : live?.why;
  if (why) rows.push(["why", plain(why)]);
  if (flipping !== null)
    rows.push(["flipping", `${flipping.reason} to ${flipping.deploymentId} (#${flipping.sequence}), ${showAge(flipping.since, now)}`]);
  if (waiting !== null)
    rows.push([
      "waiting",
      `${waiting.deploymentId} (#${waiting.sequence}) is ready, held by the ${waiting.by} ${showAge(waiting.since, now)}`,
    ]);
  for (const { id, status, since, reason } of underWay)
    if (id !== waiting?.deploymentId && id !== flipping?.deploymentId)
      rows.push([
        "under way",
        `${id} ${status} ${showAge(since, now)}${status === "queued" && reason !== null ? `: ${plain(reason)}` : ""}`,
      ]);
  if (failed !== null)
    rows.push([
      "failed",
      `${failed.id} (#${failed.sequence})${failed.step === null ? "" : ` at ${failed.step}`}, ${showAge(failed.since, now)}: ${plain(failed.reason ?? "no reason was given")}${help(`; look with:  shiplog inspect ${failed.id}`)}`,
    ]);
  if (pin !== null)
    rows.push([
      "pinned",
      `by ${plain(pin.actor)} ${showAge(pin.at, now)}: ${plain(pin.reason)}${help(`; release with:  shiplog unpin ${place}`)}`,
    ]);
  if (lock !== null)
    rows.push([
      "locked",
      `by ${plain(lock.holder)} ${showAge(lock.at, now)}${lock.until === null ? "" : ` until ${lock.until}`}: ${plain(lock.reason)}${help(`; release with:  shiplog unlock ${place}`)}`,
    ]);
  for (const drift of drifts)
    rows.push([
      "drift",
      `${drift.function} was changed by hand, seen ${showAge(drift.at, now)}: ${plain(drift.says)}${help("; put it back as shown by:  shiplog doctor")}`,
    ]);
  if (changed.length > 0)
    rows.push(["variables", `changed since the live release: ${changed.join(", ")}${help(`; to take effect:  ${deploy}`)}`]);
  if (environment.marked !== null) rows.push(["marked", `${sayMarked(environment.marked)}${help(`:  shiplog gc ${place} --dry-run`)}`]);
  for (const warning of warnings) rows.push(["warning", plain(warning)]);

  const undone = tookDown(environment);
  if (rollback === null && undone !== undefined && helping !== undefined)
    rows.push(["undo", `shiplog rollback ${undone}  (what the rollback took down: nothing older is left to go back to)`]);
  if (rollback !== null && rollback.already === null) rows.push(["undo", `shiplog rollback ${place}  (to ${name(rollback.to)})`]);
  for (const passed of rollback?.skipped.slice(0, 1) ?? []) rows.push(["", `not to ${name(passed)}: ${plain(passed.why)}`]);
  return `${bold(place)}  ${url}\n${table(rows.map(([name, text]) => [`  ${name}`, text]))}`;
}
