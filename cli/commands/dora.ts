import type { z } from "zod";
import type { Dora } from "../../client/contract.ts";
import { type CountedDeployment, definitions, sayFrequency, sayLeftOut, sayShare } from "../../domain/projections/dora-figures.ts";
import type { Context, Register } from "../context.ts";
import { pastOption, showDuration } from "../duration.ts";
import { type Whereabouts, whereabouts } from "../environment.ts";
import { plain, list as showList, table } from "../terminal.ts";

type Figures = z.infer<typeof Dora>;
type Options = Whereabouts & { readonly since?: string; readonly until?: string };

/** Deployments that were taken down and are named: the newest. */
const NAMED = 20;

/** Prints the four DORA figures of a period, with what each means and of how many it is made. */
export const doraCommand: Register = (program, run) =>
  void program
    .command("dora")
    .description("deployment frequency, lead time, change failure rate and time to restore of a period")
    .argument("[place]", "<site>/<environment>, or a site; default: all")
    .option("--site <site>", "only of this site")
    .option("--env <environment>", "only of this environment")
    .option("--since <moment>", "a time, how long ago (7d), or a position; default 30d before the end")
    .option("--until <moment>", "a time, how long ago, or a position; default now")
    .action((place: string | undefined, options: Options) => run((context) => dora(context, place, options)));

async function dora({ api: open, terminal, json }: Context, given: string | undefined, options: Options): Promise<undefined> {
  const { site, env } = whereabouts(given, options);
  const { since, until } = options;
  const now = Date.now();
  const figures = await open().dora({
    site,
    environment: env,
    since: since === undefined ? undefined : pastOption("--since", since, now),
    until: until === undefined ? undefined : pastOption("--until", until, now),
  });
  if (json) return void terminal.document(figures);
  terminal.note(headOf(figures));
  terminal.result(table([HEAD, ...rowsOf(figures)], terminal.columns));
  const failed = figures.deployments.filter(({ rolledBack }) => rolledBack !== null);
  if (failed.length > 0) {
    terminal.result("");
    terminal.result(showList([FAILED, ...failed.slice(-NAMED).reverse().map(failedCells)], ["BY", "WENT LIVE"], terminal.columns));
  }
  if (figures.deployments.length === 0)
    terminal.note("No deployment went live in this period. Look further back:  shiplog dora --since 90d");
  else terminal.note("What each figure counts, with its events:  shiplog dora --json");
}

const headOf = ({ site, environment, since, until, deploymentFrequency: { days } }: Figures): string =>
  `${site ?? "all sites"}/${environment ?? "all environments"}, ${secondOf(since)} to ${secondOf(until)} (${Math.round(days * 10) / 10} days)`;
const secondOf = (at: string): string => at.replace("T", " ").replace(/\.\d+Z$/, "Z");

const HEAD = ["FIGURE", "VALUE", "SAMPLE", "DEFINITION"];

const rowsOf = ({ deploymentFrequency, leadTime, changeFailureRate, timeToRestore }: Figures): string[][] => {
  const leftOut = sayLeftOut(leadTime.leftOut);
  const of = deployments(changeFailureRate.sample);
  return [
    [
      "deployment frequency",
      sayFrequency(deploymentFrequency.perDay),
      deployments(deploymentFrequency.sample),
      definitions.deploymentFrequency,
    ],
    [
      "lead time for changes",
      leadTime.medianMs === null || leadTime.p90Ms === null
        ? NONE
        : `median ${showDuration(leadTime.medianMs)}, p90 ${showDuration(leadTime.p90Ms)}`,
      `${leadTime.sample} of ${of}`,
      `${definitions.leadTime}${leftOut === "" ? "" : ` Left out: ${leftOut}.`}`,
    ],
    [
      "change failure rate",
      changeFailureRate.rate === null ? NONE : sayShare(changeFailureRate.rate),
      `${changeFailureRate.counted.length} of ${of}`,
      definitions.changeFailureRate,
    ],
    [
      "time to restore",
      timeToRestore.medianMs === null ? NONE : `median ${showDuration(timeToRestore.medianMs)}`,
      `${timeToRestore.sample} ${timeToRestore.sample === 1 ? "rollback" : "rollbacks"}`,
      definitions.timeToRestore,
    ],
  ];
};

const NONE = "-";
const deployments = (count: number): string => `${count} ${count === 1 ? "deployment" : "deployments"}`;

const FAILED = ["ROLLED BACK", "WHERE", "WENT LIVE", "AFTER", "TO", "BY"];

const failedCells = ({ deploymentId, site, environment, at, rolledBack }: CountedDeployment): string[] => [
  deploymentId,
  `${site}/${environment}`,
  secondOf(at),
  showDuration(rolledBack?.ms ?? 0),
  rolledBack?.deploymentId ?? NONE,
  plain(rolledBack?.by ?? NONE),
];
