import type { z } from "zod";
import type { AuditPage } from "../../client/contract.ts";
import { eventTypes } from "../../domain/aggregates.ts";
import { jsonText } from "../../domain/kernel/text.ts";
import { cloudEvent, csvHeader, csvLine } from "../../domain/projections/audit-formats.ts";
import type { Api } from "../api.ts";
import type { Context, Register } from "../context.ts";
import { beforeNow, pastOption } from "../duration.ts";
import { usageError } from "../failure.ts";
import { plain } from "../terminal.ts";
import { sealCommands } from "./audit-seals.ts";

type Row = z.infer<typeof AuditPage>["rows"][number];
type Options = {
  readonly site?: string;
  readonly env?: string;
  readonly actor?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
  readonly csv?: boolean;
  readonly cloudevents?: boolean;
};

/** Prints the audit trail: who, what, when, where, why, and what it changed. */
export const auditCommand: Register = (program, run) => {
  const command = program
    .command("audit")
    .description("the audit trail: who did what, when, from where, why, and what it changed; with --json a document a line")
    .option("--site <site>", "only of this site")
    .option("--env <environment>", "only of this environment")
    .option("--actor <text>", "only where the actor's name contains this")
    .option("--type <type>", "only of this type, for example ReleaseWentLive")
    .option("--since <moment>", "a time, how long ago (7d), or a position; default 30d")
    .option("--until <moment>", "a time, how long ago, or a position; default now")
    .option("--csv", "as CSV with a header; what a spreadsheet would calculate has an apostrophe before it")
    .option("--cloudevents", "as CloudEvents 1.0, one JSON document a line")
    .action((options: Options) => run((context) => audit(context, options)));
  sealCommands(command, run);
};

/** One row at a time, however long the trail: a page is printed, and taken by who reads it, before the next one is asked for. */
async function audit({ api: open, terminal, json }: Context, options: Options): Promise<undefined> {
  const { csv = false, cloudevents = false } = options;
  if ([csv, cloudevents, json].filter(Boolean).length > 1)
    throw usageError("--json, --csv and --cloudevents are three formats.", "Give one of them.");
  const show: (row: Row) => string = csv
    ? csvLine
    : cloudevents
      ? (row) => jsonText(cloudEvent(row))
      : json
        ? (row) => jsonText(row)
        : line;
  if (csv) terminal.result(csvHeader);
  let found = false;
  for await (const rows of pages(open(), options)) {
    found ||= rows.length > 0;
    if (rows.length > 0) terminal.result(rows.map(show).join("\n"));
    await terminal.taken();
  }
  // a header and nothing else says so by itself
  if (!found && !csv) terminal.note(sayNone(options));
  return undefined;
}

async function* pages(api: Api, { site, env, actor, type, since, until }: Options): AsyncGenerator<readonly Row[]> {
  const now = Date.now();
  const query = {
    site,
    environment: env,
    actor,
    type,
    since: since === undefined ? undefined : beforeNow("--since", since, now),
    until: until === undefined ? undefined : pastOption("--until", until, now),
  };
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { rows, next } = await api.audit({ ...query, cursor });
    yield rows;
    cursor = next;
  }
}

/** A type may be mistyped, or one that only a newer engine writes. */
const sayNone = ({ since = "30d", type }: Options): string => {
  const known = type === undefined || eventTypes.has(type);
  return `Nothing in the trail since ${plain(since)} fits.${known ? "" : ` This command knows no events of the type ${plain(type)}: docs/reference/events.md has all.`}`;
};

/** Time, where or of what, what, who (credential, address), change or what else there is to say of it, why. */
const line = ({ at, site, environment, stream, type, actor, address, change, why, deployment, facts }: Row): string =>
  [
    at,
    site === null ? plain(stream) : `${site}/${environment}`,
    type.padEnd(20),
    plain(address === null ? actor : `${actor} from ${address}`),
    change === null
      ? [deployment ?? "", why === null ? plain(facts ?? "") : ""].filter(Boolean).join("  ")
      : `${change.of}: ${plain(change.before ?? "nothing")} → ${plain(change.after ?? "nothing")}`,
    why === null ? "" : `"${plain(why)}"`,
  ]
    .filter(Boolean)
    .join("  ");
