import { clipped } from "../../domain/kernel/text.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import type { Context, Register } from "../context.ts";
import { atOption, msOf, showAge, showDuration } from "../duration.ts";
import { environmentName } from "../environment.ts";
import { usageError } from "../failure.ts";
import { shortIds } from "../short-id.ts";
import { commitCell } from "../show-commit.ts";
import { plain, list as showList, statusStyle } from "../terminal.ts";

type Options = {
  readonly site?: string;
  readonly env?: string;
  readonly status?: string;
  readonly limit: string;
  readonly at?: string;
  readonly before?: string;
};

/** Lists deployments, newest first. */
export const listCommand: Register = (program, run) =>
  void program
    .command("list")
    .description("list deployments, newest first")
    .option("--site <site>", "only of this site")
    .option("--env <environment>", "only of this environment")
    .option("--status <status>", "only with this status, for example failed")
    .option("--at <moment>", "as of a time, how long ago (2h), or a position of the log")
    .option("--before <deployment>", "only those that are older than this one")
    .option("--limit <count>", "at most so many, up to 200", "20")
    .action((options: Options) => run((context) => list(context, options)));

async function list({ api: open, terminal, json }: Context, options: Options): Promise<undefined> {
  const { site, env, status, limit, at: given } = options;
  if (!/^\d+$/.test(limit) || Number(limit) < 1 || Number(limit) > 200)
    throw usageError(`--limit "${limit}" is not a number from 1 to 200.`);
  const api = open();
  const at = given === undefined ? undefined : atOption(given, Date.now());
  const before = options.before === undefined ? undefined : (await api.deployment(options.before)).deployment.id;
  const [{ deployments, next }, environments] = await Promise.all([
    api.deploymentPage({ site, environment: env, status, limit: Number(limit), before, at }),
    api.environments(at),
  ]);
  if (json) return void terminal.document({ deployments, next });
  if (deployments.length === 0)
    return void terminal.note(next === null ? sayNone(options) : `None among the newest. Older ones:  ${older(options, next)}`);

  const live = new Set(environments.flatMap((environment) => (environment.live === null ? [] : [environment.live.deploymentId])));
  const takenDown = new Set(
    environments.flatMap((environment) => environment.takenDown.flatMap(({ deploymentId, wasLive }) => (wasLive ? [deploymentId] : []))),
  );
  const fateOf = ({ id, swept }: DeploymentView): string =>
    live.has(id) ? " (live)" : swept !== null ? " (swept)" : takenDown.has(id) ? " (rolled back)" : "";
  const short = shortIds(deployments.map(({ id }) => id));
  // what was under way then had taken so long by then
  const now = at === undefined ? Date.now() : msOf(at);
  const rows = deployments.map((deployment) => [
    short.get(deployment.id) ?? deployment.id,
    terminal.paint(statusStyle(deployment.status), `${deployment.status}${fateOf(deployment)}`),
    environmentName(deployment),
    `#${deployment.sequence}`,
    showAge(deployment.queuedAt, now),
    took(deployment, now),
    plain(deployment.actor),
    commitCell(deployment.commit),
  ]);
  const [head = "", ...shown] = showList(
    [["ID", "STATUS", "WHERE", "SEQ", "AGE", "TOOK", "BY", "COMMIT"], ...rows],
    ["TOOK", "SEQ", "BY", "AGE", "WHERE"],
    terminal.columns,
  ).split("\n");
  terminal.result([head, ...shown.flatMap((line, index) => [line, ...why(deployments[index], terminal.columns)])].join("\n"));
  if (next !== null) terminal.note(`Older ones:  ${older(options, next)}`);
  return undefined;
}

const sayNone = ({ before, at, site, env, status }: Options): string => {
  if (before !== undefined) return "There is no older one.";
  const fits = (site ?? env ?? status) === undefined ? "" : " that fits";
  if (at !== undefined) return `There was no deployment${fits} yet at ${plain(at)}.`;
  return fits === "" ? "There is no deployment. Make one:  shiplog deploy <dir>" : `There is no deployment${fits}.`;
};

/** The command that lists what comes behind. */
const older = ({ site, env, status, limit }: Options, next: string): string =>
  [
    "shiplog list",
    ...(site === undefined ? [] : [`--site ${site}`]),
    ...(env === undefined ? [] : [`--env ${env}`]),
    ...(status === undefined ? [] : [`--status ${status}`]),
    ...(limit === "20" ? [] : [`--limit ${limit}`]),
    `--before ${next}`,
  ].join(" ");

/** Under a deployment that failed, or waits for room: why. */
const why = (deployment: DeploymentView | undefined, columns = Number.POSITIVE_INFINITY): string[] =>
  (deployment?.status === "failed" || deployment?.status === "queued") && deployment.reason !== null
    ? [clipped(`  ${plain(deployment.reason)}`, Math.max(20, columns))]
    : [];

const took = ({ queuedAt, endedAt }: DeploymentView, now: number): string =>
  showDuration((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(queuedAt));
