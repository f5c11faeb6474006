import { becauseTable } from "../because-table.ts";
import type { Context, Register } from "../context.ts";
import { atOption } from "../duration.ts";
import { environmentName, resolveEnvironment, whereabouts } from "../environment.ts";

type Options = { readonly at?: string };

/** Says why a version is live: who asked, from what, how it was built and checked, and how it came live. */
export const whyCommand: Register = (program, run) =>
  void program
    .command("why")
    .description("why this version is (or was) live, with the events that say so")
    .argument("[place]", "<site>/<environment>; default: the only one")
    .option("--at <moment>", "as of a time (2026-11-23T14:00:00Z), how long ago (2h), or a position")
    .action((place: string | undefined, options: Options) => run((context) => why(context, place, options)));

async function why({ api: open, terminal, json }: Context, given: string | undefined, { at }: Options): Promise<undefined> {
  const api = open();
  const moment = at === undefined ? undefined : atOption(at, Date.now());
  const place = await resolveEnvironment(api, whereabouts(given, {}));
  const { deployment, because } = await api.why(place.site, place.environment, moment);
  if (json) return void terminal.document({ site: place.site, environment: place.environment, at: moment ?? null, deployment, because });
  if (deployment === null)
    return void terminal.note(
      at === undefined
        ? `Nothing is live in ${environmentName(place)}.`
        : `Nothing had been live yet in ${environmentName(place)} at ${at}.`,
    );
  terminal.result(`${environmentName(place)}  ${terminal.paint("bold", deployment)}${moment === undefined ? "" : ` at ${at}`}`);
  terminal.result(becauseTable(because));
  return undefined;
}
