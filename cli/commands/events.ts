import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import { jsonText } from "../../domain/kernel/text.ts";
import { type Api, isPassing } from "../api.ts";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { momentOption } from "../duration.ts";
import { factsOf, type LoggedEvent } from "../event-facts.ts";
import { type ExitCode, exit, usageError } from "../failure.ts";
import { endOf } from "../follow-deployment.ts";
import { exitCodeOf } from "../outcome.ts";
import { plain, table } from "../terminal.ts";

type Options = {
  readonly follow?: boolean;
  readonly since?: string;
  readonly site?: string;
  readonly env?: string;
  readonly type?: string;
  readonly deadLetters?: boolean;
  readonly quarantine?: boolean;
  readonly empty?: string;
  readonly yes?: boolean;
};

/** Reads the log: of one deployment, or of everything. */
export const eventsCommand: Register = (program, run) =>
  void program
    .command("events")
    .description("read the log: one event a line")
    .argument("[id]", "only of this deployment")
    .option("--follow", "go on as events come; with an id until the deployment has ended, with its exit code")
    .option(
      "--since <moment>",
      "a time (2026-11-23T14:00:00Z), how long ago (2h), or the position of the last event that you have; default 24h, with --follow now",
    )
    .option("--site <site>", "only of this site")
    .option("--env <environment>", "only of this environment")
    .option("--type <type>", "only of this type, for example ReleaseWentLive")
    .option("--dead-letters", "what no consumer could take and what no site could confirm, and why")
    .option("--empty <site/environment>", "with --dead-letters: forget the pages that this environment could not confirm")
    .option("--yes", "do not ask before forgetting them")
    // reasons that are stored name it so
    .addOption(new Option("--quarantine").hideHelp())
    .action((id: string | undefined, options: Options) => run((context) => events(context, id, options)));

async function events(context: Context, id: string | undefined, options: Options): Promise<ExitCode | undefined> {
  const { follow = false, since, site, env, type, quarantine = false, deadLetters = quarantine, empty } = options;
  if (deadLetters && (id !== undefined || follow || since || site || env || type))
    throw usageError("--dead-letters takes no other option and no id.");
  if (empty !== undefined && !deadLetters) throw usageError("--empty goes with --dead-letters alone.");
  if (id !== undefined && (site ?? env ?? since) !== undefined)
    throw usageError("With an id there is no --site, --env or --since: it is one deployment, from its beginning.");

  const from = /^\d{15}$/.test(since ?? "")
    ? after(since as string)
    : momentOption("--since", since ?? (follow ? "1ms" : "24h"), Date.now(), "ago");
  const api = context.api();
  if (empty !== undefined) return emptied(context, api, empty, options.yes);
  if (deadLetters) return letters(context, api);
  const source = id === undefined ? wholeLog(api, { since: from, site, environment: env, type }) : await oneDeployment(api, id);
  const seen: LoggedEvent[] = [];

  for (let heard = Date.now(); ; ) {
    try {
      const read = await source();
      heard = Date.now();
      const wanted = read.events.filter((event) => type === undefined || event.type === type);
      // those that share a position in one piece: whoever is cut off goes on behind the last position, and misses none
      if (follow || !context.json)
        for (const same of byPosition(wanted)) context.terminal.result(same.map((event) => line(context, event)).join("\n"));
      else seen.push(...wanted);
      await context.terminal.taken();

      const is = id === undefined ? undefined : endOf(read.events);
      if (follow && is !== undefined && is !== "held") return exitCodeOf({ is, version: 0 });
      if (read.more) continue;
      if (!follow) break;
      await sleep(500, undefined, { signal: context.signal });
    } catch (error) {
      if (context.signal.aborted) return stopped(context);
      if (!follow || !isPassing(error) || Date.now() - heard > 60_000) throw error;
    }
  }
  if (context.json) context.terminal.document({ events: seen });
  return exit.reached;
}

function stopped({ terminal }: Context): ExitCode {
  terminal.note("Stopped reading. The engine goes on.");
  return exit.interrupted;
}

/** Reads on from where it was: `more` where there may be further events at once. */
type Source = () => Promise<{ events: readonly LoggedEvent[]; more: boolean }>;

async function oneDeployment(api: Api, id: string): Promise<Source> {
  const full = (await api.deployment(id)).deployment.id;
  let version = 0;
  return async () => {
    const page = await api.deploymentEvents(full, version);
    const more = page.version > version;
    version = page.version;
    return { events: page.events, more };
  };
}

/** Ids of events that were shown, the newest of them: more than come again with a page. */
const KNOWN = 20_000;

/** The newest events come again with every page, so that nothing which settles late is missed: ids that were seen are dropped. */
function wholeLog(
  api: Api,
  { since, ...filter }: { since: string; site: string | undefined; environment: string | undefined; type: string | undefined },
): Source {
  let next = since;
  const known = new Set<string>();
  return async () => {
    const page = await api.log({ ...filter, since: next, limit: 500 });
    const fresh = page.events.filter((event) => !known.has(event.id));
    next = page.next;
    for (const { id } of fresh) known.add(id);
    if (known.size > KNOWN) for (const id of [...known].slice(0, known.size - KNOWN)) known.delete(id);
    return { events: fresh, more: fresh.length > 0 };
  };
}

/** Time, position, stream, type, facts. */
function line({ terminal, json }: Context, event: LoggedEvent): string {
  if (json) return jsonText(event);
  const stream = event.stream
    .replace(/^letter\/(.{8}).*/, "$1")
    .replace(/^(deployment|environment|webhook)\//, "")
    .replace(/^((?:dep|wh)_.{8}).*/, "$1");
  return [event.at, event.position, stream.padEnd(14), terminal.paint("bold", event.type.padEnd(20)), plain(factsOf(event))]
    .join("  ")
    .trimEnd();
}

/** Neighbours with one position: the events of one commit, or of two that were written in the same millisecond. */
function byPosition(events: readonly LoggedEvent[]): LoggedEvent[][] {
  const groups: LoggedEvent[][] = [];
  for (const event of events) {
    const last = groups.at(-1);
    if (last?.[0]?.position === event.position) last.push(event);
    else groups.push([event]);
  }
  return groups;
}

/** The position behind one: what is at it has been seen. */
const after = (position: string): string => (Number(position) + 1).toString().padStart(position.length, "0");

async function emptied(context: Context, api: Api, place: string, yes: boolean | undefined): Promise<ExitCode> {
  const [site, environment, ...more] = place.split("/");
  if (!site || !environment || more.length > 0)
    throw usageError(`--empty takes <site>/<environment>, as in web/production, not "${place}".`);
  await confirm(context, `Forget the pages of ${place} that could not be confirmed as made again?`, yes);
  const count = await api.emptyDeadLetters(site, environment, randomUUID());
  if (context.json) context.terminal.document({ emptied: count });
  else context.terminal.note(`About ${count} dead letters of ${place} are forgotten.`);
  return exit.reached;
}

async function letters({ terminal, json }: Context, api: Api): Promise<ExitCode> {
  const { letters: found, unread } = await api.deadLetters();
  for (const name of unread)
    terminal.note(`The dead letters of ${name} cannot be read: its queue of them is gone. What to do says: shiplog doctor`);
  if (json) terminal.document({ letters: found, unread });
  else if (found.length === 0) terminal.note(unread.length === 0 ? "There are no dead letters." : "There are no others.");
  else
    terminal.result(
      table([
        ["CONSUMER", "MESSAGE", "AT", "REASON"],
        ...found.map(({ consumer, messageId, at, reason }) => [consumer, messageId, at ?? "-", plain(reason)]),
      ]),
    );
  return unread.length === 0 ? exit.reached : exit.failed;
}
