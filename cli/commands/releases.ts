import type { GitCommit } from "../../domain/deployment/shapes.ts";
import { type Kept, keptWhy } from "../../domain/projections/kept-release.ts";
import type { RoutedView } from "../../domain/projections/views.ts";
import type { Api } from "../api.ts";
import type { Context, Register } from "../context.ts";
import { showAge, showDuration } from "../duration.ts";
import { type Environment, environmentName, resolveEnvironment, type Whereabouts, whereabouts } from "../environment.ts";
import { shortIds } from "../short-id.ts";
import { commitCell } from "../show-commit.ts";
import { list, statusStyle } from "../terminal.ts";

/** Lists the releases that have an address at the edge: what is live, and what open pages still reach. */
export const releasesCommand: Register = (program, run) =>
  void program
    .command("releases")
    .description("the releases that visitors are sent to: at which address, until when, and why it is kept")
    .argument("[place]", "<site>/<environment>, or a site; default: all")
    .option("--site <site>", "only this site")
    .option("--env <environment>", "only this environment")
    .action((place: string | undefined, options: Whereabouts) => run((context) => releases(context, whereabouts(place, options))));

type Place = Pick<Environment, "site" | "environment">;
type Shown = Place & RoutedView & { readonly kept: Kept; readonly commit: GitCommit | null };

async function releases({ api: open, terminal, json }: Context, given: Whereabouts): Promise<undefined> {
  const api = open();
  const places = await chosen(api, given);
  const now = Date.now();
  const shown = await withCommits(api, places, new Date(now).toISOString());
  if (json) return void terminal.document({ releases: shown });
  if (shown.length === 0) return void terminal.note("No release has an address yet: each gets one when it is published.");
  const short = shortIds(shown.map(({ deploymentId }) => deploymentId));
  const rows = shown.map((one) => [
    environmentName(one),
    `#${one.sequence}`,
    short.get(one.deploymentId) ?? one.deploymentId,
    terminal.paint(statusStyle(one.kept), one.kept),
    untilCell(one, now),
    showAge(one.since, now),
    `r-${one.address}`,
    one.host,
    commitCell(one.commit),
  ]);
  const head = ["WHERE", "SEQ", "RELEASE", "KEPT", "UNTIL", "LIVE SINCE", "ADDRESS", "HOST", "COMMIT"];
  terminal.result(list([head, ...rows], ["HOST", "LIVE SINCE", "WHERE"], terminal.columns));
  return undefined;
}

/** Where nothing is given, everything; where only a site is given, all of its environments. */
async function chosen(api: Api, { site, env }: Whereabouts): Promise<readonly Environment[]> {
  const all = await api.environments();
  const fitting = all.filter((one) => (site ?? one.site) === one.site && (env ?? one.environment) === one.environment);
  return fitting.length > 0 || all.length === 0 ? fitting : [await resolveEnvironment(api, { site, env })];
}

/** Ids that one request takes. */
const PAGE = 100;

async function withCommits(api: Api, places: readonly Environment[], now: string): Promise<readonly Shown[]> {
  const ids = [...new Set(places.flatMap(({ routes }) => routes.map(({ deploymentId }) => deploymentId)))];
  const pages = Array.from({ length: Math.ceil(ids.length / PAGE) }, (_, page) => ids.slice(page * PAGE, (page + 1) * PAGE));
  const deployments = (await Promise.all(pages.map((page) => api.deployments({ ids: page.join(",") })))).flat();
  const commits = new Map(deployments.map(({ id, commit }) => [id, commit]));
  return places.flatMap(({ site, environment, routes }) =>
    routes.map((route) => ({ site, environment, ...route, kept: keptWhy(route, now), commit: commits.get(route.deploymentId) ?? null })),
  );
}

/** Until when what names it reaches it. */
const untilCell = ({ kept, until }: Shown, now: number): string => {
  if (kept === "live") return "-";
  return kept === "window" && until !== null ? `in ${showDuration(Date.parse(until) - now)}` : "reached no more";
};
