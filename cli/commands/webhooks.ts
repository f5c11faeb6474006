import { randomUUID } from "node:crypto";
import { notableTypes, outcomeTypes } from "../../domain/webhook/notable.ts";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { showAge } from "../duration.ts";
import { usageError } from "../failure.ts";
import { readSecret } from "../read-secret.ts";
import { plain, table } from "../terminal.ts";
import { collect, filtersOf, removedBefore, rotateSecret, secretRow } from "./endpoints.ts";
import { deliveryCommands } from "./webhook-deliveries.ts";

type AddOptions = {
  readonly kind?: string;
  readonly site?: string;
  readonly env?: string;
  readonly type?: readonly string[];
  readonly outcomes?: boolean;
};
type Reason = { readonly reason?: string };

/** Endpoints outside that hear of what happens: Slack, or any server that takes signed webhooks. */
export const webhooksCommand: Register = (program, run) => {
  const webhooks = program.command("webhooks").description("tell Slack, or a server of your own, what happens");
  webhooks
    .command("add")
    .description("add an endpoint; prints the secret that it checks signatures with, once")
    .argument("<url>", "its URL, or - to read it from stdin, where no shell history sees it")
    .option("--kind <kind>", "slack or standard (Standard Webhooks 1.0.0); default: by the URL")
    .option("--site <site>", "only of this site")
    .option("--env <environment>", "only of this environment")
    .option("--type <type>", "only events of this type (again for more); default: every change of a status", collect)
    .option("--outcomes", "only what came of it: live, failed, held, rolled back, pinned, locked, drift")
    .action((url: string, options: AddOptions) => run((context) => add(context, url, options)));
  webhooks
    .command("ls")
    .description("list the endpoints")
    .action(() => run(list));
  webhooks
    .command("rm")
    .description("remove an endpoint: nothing is sent to it any more, and its secret is forgotten")
    .argument("<id>", "or a unique beginning of it")
    .option("--reason <text>", "kept in the audit trail")
    .option("-y, --yes", "do not ask")
    .action((id: string, options: Reason & { yes?: boolean }) => run((context) => remove(context, id, options)));
  webhooks
    .command("rotate")
    .description("make a new signing secret; the one before is good for another day")
    .argument("<id>", "or a unique beginning of it")
    .action((id: string) => run((context) => rotate(context, id)));
  webhooks
    .command("enable")
    .description("send again to an endpoint that was disabled because nothing arrived")
    .argument("<id>", "or a unique beginning of it")
    .option("--reason <text>", "kept in the audit trail")
    .action((id: string, options: Reason) => run((context) => enable(context, id, options)));
  deliveryCommands(webhooks, run);
};

async function add(
  context: Context,
  given: string,
  { kind: named, site, env: environment, type: typesSaid = [], outcomes = false }: AddOptions,
): Promise<undefined> {
  const { api: open, terminal, json } = context;
  if (named !== undefined && named !== "slack" && named !== "standard")
    throw usageError(`--kind "${named}" is not known.`, "Write slack or standard.");
  if (outcomes && typesSaid.length > 0) throw usageError("--outcomes and --type both say which events are told.", "Give one of them.");
  const types: readonly string[] = outcomes ? outcomeTypes : typesSaid;
  const unknown = types.find((type) => !(notableTypes as readonly string[]).includes(type));
  if (unknown !== undefined) throw usageError(`--type "${unknown}" is not an event that is told.`, `Known: ${notableTypes.join(", ")}`);

  const url = await readSecret(given, "URL", context);
  const kind = named ?? (URL.canParse(url) && new URL(url).hostname === "hooks.slack.com" ? "slack" : "standard");
  const request = { kind, url, site, environment, types: types as (typeof notableTypes)[number][] } as const;
  const added = await open().addWebhook(request, randomUUID());
  if (json) return void terminal.document(added);
  const { webhook, secret } = added;
  terminal.result(
    table([["id", webhook.id], ["kind", webhook.kind], ["url", webhook.url], ["events", filtersOf(webhook)], ...secretRow(secret)]),
  );
  terminal.note(heardBy(types, kind, outcomes));
  if (secret !== null) terminal.note("Keep the secret now: it is not shown again. The receiver checks signatures with it.");
  terminal.note(`Try it:  shiplog webhooks test ${webhook.id}`);
}

/** What the endpoint is going to hear of, in a sentence. */
function heardBy(types: readonly string[], kind: string, outcomes: boolean): string {
  if (outcomes) return "It hears only of what came of it: live, failed, held, rolled back, pinned, locked, drift.";
  if (types.length > 0) return `It hears only of ${types.join(", ")}.`;
  const every = "It hears of each change of a status, from queued to live.";
  return kind === "slack" ? `${every} For what came of it alone, add it with --outcomes.` : every;
}

async function list({ api: open, terminal, json }: Context): Promise<undefined> {
  const webhooks = await open().webhooks();
  if (json) return void terminal.document({ webhooks });
  if (webhooks.length === 0) return void terminal.note("There is no endpoint. Add one:  shiplog webhooks add -");
  const now = Date.now();
  const rows = webhooks.map((webhook) => [
    webhook.id,
    webhook.kind,
    webhook.url,
    filtersOf(webhook),
    showAge(webhook.addedAt, now),
    webhook.disabled === null ? "enabled" : `disabled: ${plain(webhook.disabled.reason)}`,
  ]);
  terminal.result(table([["ID", "KIND", "URL", "EVENTS", "ADDED", "STATUS"], ...rows]));
}

async function remove(context: Context, given: string, { reason, yes }: Reason & { yes?: boolean }): Promise<undefined> {
  const api = context.api();
  const { id, url } = await api.webhook(given).catch((error: unknown) => removedBefore(given, error));
  if (url !== null) await confirm(context, `Remove ${id} (${url})? What waits to be sent to it is dropped.`, yes);
  const webhook = await api.changeWebhook(id, "remove", { reason }, randomUUID());
  if (context.json) return void context.terminal.document({ webhook });
  context.terminal.result(`${id} is removed.`);
}

async function rotate(context: Context, given: string): Promise<undefined> {
  const { id } = await context.api().webhook(given);
  return rotateSecret(context, id);
}

async function enable({ api: open, terminal, json }: Context, given: string, { reason }: Reason): Promise<undefined> {
  const api = open();
  const { id } = await api.webhook(given);
  const webhook = await api.changeWebhook(id, "enable", { reason }, randomUUID());
  if (json) return void terminal.document({ webhook });
  terminal.result(`${id} is enabled.`);
  terminal.note(`What was missed is not sent by itself. See it:  shiplog webhooks deliveries ${id}`);
}
