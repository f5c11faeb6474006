import type { z } from "zod";
import type { History } from "../../client/contract.ts";
import type { Api } from "../api.ts";
import type { Context, Register } from "../context.ts";
import { atOption, showDuration } from "../duration.ts";
import { type Environment, environmentName, resolveEnvironment, type Whereabouts, whereabouts } from "../environment.ts";
import { usageError } from "../failure.ts";
import { commitCell } from "../show-commit.ts";
import { plain, list as showList } from "../terminal.ts";

type Change = z.infer<typeof History>["changes"][number];
type Options = Whereabouts & { readonly limit: string; readonly at?: string; readonly markdown?: boolean };

const MAX_LIMIT = 1_000;
const PAGE = 100;

/** One line for each change of what was live: for the post-mortem, and for whoever asks what happened last night. */
export const historyCommand: Register = (program, run) =>
  void program
    .command("history")
    .description("what was live, since when, for how long, by whom, how and why")
    .argument("[place]", "<site>/<environment>; default: the only one, or production")
    .option("--site <site>")
    .option("--env <environment>")
    .option("--limit <count>", `at most so many, up to ${MAX_LIMIT}`, "20")
    .option("--at <moment>", "as of a time, how long ago (2h), or a position of the log")
    .option("--markdown", "as a table for a post-mortem")
    .action((place: string | undefined, options: Options) => run((context) => history(context, place, options)));

async function history({ api: open, terminal, json }: Context, given: string | undefined, options: Options): Promise<undefined> {
  const { limit, markdown = false } = options;
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > MAX_LIMIT)
    throw usageError(`--limit "${limit}" is not a number from 1 to ${MAX_LIMIT}.`);
  const moment = options.at === undefined ? undefined : atOption(options.at, Date.now());
  const api = open();
  const place = await resolveEnvironment(api, whereabouts(given, options));
  const { changes, more } = await newest(api, place, moment, Number(limit));
  if (json) return void terminal.document({ site: place.site, environment: place.environment, at: moment ?? null, changes });
  if (changes.length === 0)
    return void terminal.note(
      moment === undefined
        ? `Nothing was ever live in ${environmentName(place)}.`
        : `Nothing had been live yet in ${environmentName(place)} at ${options.at}.`,
    );
  const rows = [HEAD, ...changes.map(cellsOf)];
  terminal.result(markdown ? markdownOf(place, changes) : showList(rows, ["RELEASE", "BY", "COMMIT"], terminal.columns));
  const again = `${environmentName(place)}${moment === undefined ? "" : ` --at ${moment}`} --limit ${Math.min(MAX_LIMIT, 5 * Number(limit))}`;
  if (more) terminal.note(`There is more:  shiplog history ${again}`);
}

async function newest(
  api: Api,
  { site, environment }: Environment,
  at: string | undefined,
  limit: number,
): Promise<{ changes: Change[]; more: boolean }> {
  const changes: Change[] = [];
  for (let before: number | undefined; ; ) {
    const page = await api.history(site, environment, { at, before, limit: Math.min(PAGE, limit - changes.length) });
    changes.push(...page.changes);
    if (page.next === null || changes.length >= limit) return { changes, more: page.next !== null };
    before = page.next;
  }
}

const HEAD = ["SINCE", "LIVE FOR", "SEQ", "RELEASE", "COMMIT", "BY", "HOW"];

const cellsOf = (change: Change): string[] => [
  change.since.replace("T", " ").replace(/\.\d+Z$/, "Z"),
  `${showDuration(change.ms)}${change.until === null ? ", live" : ""}`,
  `#${change.sequence}`,
  change.deploymentId,
  commitCell(change.commit),
  plain(change.by),
  plain(storyOf(change)),
];

const HOW = { deploy: "deployed", rollback: "rolled back to", promote: "promoted", restore: "put back" } as const;
const ENDED = { deploy: "replaced", rollback: "rolled back", promote: "replaced", restore: "replaced" } as const;

/** `deployed: "Fix the header"; rolled back by ben: it answers 500` */
function storyOf({ how, why, unproven, ended }: Change): string {
  const came = [HOW[how], why && `: ${why}`, unproven && ` (unproven: ${unproven})`].filter(Boolean).join("");
  if (ended === null || ended.how === "deploy") return came;
  return `${came}; ${ENDED[ended.how]} by ${ended.by}${ended.why === null ? "" : `: ${ended.why}`}`;
}

/** A table that GitHub and most wikis show. Text of people is no markup in it. */
const markdownOf = (place: Environment, changes: readonly Change[]): string =>
  [
    `## What was live in ${environmentName(place)}`,
    "",
    rowOf(["Since (UTC)", "For", "Release", "Commit", "By", "How and why"]),
    rowOf(["---", "---", "---", "---", "---", "---"]),
    ...changes.map((change) => {
      const [since = "", lasted = "", sequence = "", release = "", ...texts] = cellsOf(change);
      return rowOf([since, lasted, `${sequence} \`${release}\``, ...texts.map(escaped)]);
    }),
  ].join("\n");

const rowOf = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
/** `@` and `#` too: nobody is called, and nothing is linked. */
const escaped = (text: string): string => text.replace(/[\\`*_[\]<>|~#@]/g, (character) => `\\${character}`);
