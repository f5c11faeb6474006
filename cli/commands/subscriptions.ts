import { randomUUID } from "node:crypto";
import type { z } from "zod";
import type { ManySubscriptions } from "../../client/contract.ts";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { pastOption, showAge, showDuration } from "../duration.ts";
import { readSecret } from "../read-secret.ts";
import { plain, table } from "../terminal.ts";
import { collect, filtersOf, removedBefore, rotateSecret, secretRow } from "./endpoints.ts";

type Subscription = z.infer<typeof ManySubscriptions>["subscriptions"][number];
type AddOptions = { readonly from: string; readonly site?: string; readonly env?: string; readonly type?: readonly string[] };
type Reason = { readonly reason?: string };
type Asked = Reason & { readonly yes?: boolean };

const ID = "or a unique beginning of it";
const FROM = "beginning, now, a time, how long ago (30d), or a position";

/** Receivers of the whole log: each has a place in it, and is told what lies behind that, in order. */
export const subscriptionsCommand: Register = (program, run) => {
  const subscriptions = program.command("subscriptions").description("tell a server of your own the whole log, from any place on");
  subscriptions
    .command("add")
    .description("add a receiver; prints the secret that it checks signatures with, once")
    .argument("<url>", "its URL, or - to read it from stdin, where no shell history sees it")
    .option("--from <moment>", FROM, "now")
    .option("--site <site>", "only of this site")
    .option("--env <environment>", "only of this environment")
    .option("--type <type>", "only events of this type (again for more); default: every event", collect)
    .action((url: string, options: AddOptions) => run((context) => add(context, url, options)));
  subscriptions
    .command("ls")
    .description("list the subscriptions, with how far behind each is")
    .action(() => run(list));
  subscriptions
    .command("show")
    .description("show one subscription: its place, its lag, and how it fails where it does")
    .argument("<id>", ID)
    .action((id: string) => run((context) => show(context, id)));
  subscriptions
    .command("pause")
    .description("tell it nothing more until it is resumed; its place stays")
    .argument("<id>", ID)
    .option("--reason <text>", "kept in the audit trail")
    .action((id: string, options: Reason) => run((context) => change(context, id, "pause", options)));
  subscriptions
    .command("resume")
    .description("go on from its place, and try a receiver that fails at once")
    .argument("<id>", ID)
    .option("--reason <text>", "kept in the audit trail")
    .action((id: string, options: Reason) => run((context) => change(context, id, "resume", options)));
  subscriptions
    .command("reset")
    .description("tell it the log from another place on, whatever it took before")
    .argument("<id>", ID)
    .requiredOption("--from <moment>", FROM)
    .option("--reason <text>", "kept in the audit trail")
    .option("-y, --yes", "do not ask")
    .action((id: string, options: Asked & { from: string }) => run((context) => reset(context, id, options)));
  subscriptions
    .command("rm")
    .description("remove a subscription: it is told nothing more, and its secret and its place are forgotten")
    .argument("<id>", ID)
    .option("--reason <text>", "kept in the audit trail")
    .option("-y, --yes", "do not ask")
    .action((id: string, options: Asked) => run((context) => remove(context, id, options)));
  subscriptions
    .command("rotate")
    .description("make a new signing secret; the one before is good for another day")
    .argument("<id>", ID)
    .action((id: string) => run((context) => rotate(context, id)));
};

const placeOption = (text: string): string =>
  text === "beginning" || text === "now" ? text : pastOption("--from", text, Date.now(), ", a position of the log, beginning, or now");

async function add(context: Context, given: string, { from, site, env: environment, type: types = [] }: AddOptions): Promise<undefined> {
  const { api: open, terminal, json } = context;
  const begin = placeOption(from);
  const url = await readSecret(given, "URL", context);
  const added = await open().addSubscription({ url, from: begin, site, environment, types: [...types] }, randomUUID());
  if (json) return void terminal.document(added);
  const { subscription, secret } = added;
  terminal.result(table([...rowsOf(subscription), ...secretRow(secret)]));
  terminal.note("Keep the secret now: it is not shown again. The receiver checks signatures with it.");
  terminal.note(`See how far it is:  shiplog subscriptions show ${subscription.id}`);
}

async function list({ api: open, terminal, json }: Context): Promise<undefined> {
  const subscriptions = await open().subscriptions();
  if (json) return void terminal.document({ subscriptions });
  if (subscriptions.length === 0) return void terminal.note("There is no subscription. Add one:  shiplog subscriptions add -");
  const rows = subscriptions.map((one) => [one.id, one.url, filtersOf(one), lagOf(one), statusOf(one, Date.now())]);
  terminal.result(table([["ID", "URL", "EVENTS", "LAG", "STATUS"], ...rows]));
}

async function show({ api: open, terminal, json }: Context, given: string): Promise<undefined> {
  const subscription = await open().subscription(given);
  if (json) return void terminal.document({ subscription });
  terminal.result(table(rowsOf(subscription)));
  if (subscription.paused !== null) return void terminal.note(`Go on:  shiplog subscriptions resume ${subscription.id}`);
  if (subscription.failing !== null) terminal.note(`Try it now:  shiplog subscriptions resume ${subscription.id}`);
}

async function change(
  { api: open, terminal, json }: Context,
  given: string,
  verb: "pause" | "resume",
  { reason }: Reason,
): Promise<undefined> {
  const api = open();
  const { id } = await api.subscription(given);
  const subscription = await api.changeSubscription(id, verb, { reason }, randomUUID());
  if (json) return void terminal.document({ subscription });
  terminal.result(verb === "pause" ? `${id} is paused.` : `${id} goes on.`);
  terminal.note(
    verb === "pause" ? "Its place stays: it is told what happens meanwhile once it is resumed." : `It is ${lagOf(subscription)}.`,
  );
}

async function reset(context: Context, given: string, { from, reason, yes }: Asked & { from: string }): Promise<undefined> {
  const begin = placeOption(from);
  const api = context.api();
  const found = await api.subscription(given);
  const { id, url } = found;
  const asked = `Tell ${id} (${url}) the log from ${begin} on? It is at ${placeOf(found)}: it is told again what lies between, or never.`;
  await confirm(context, asked, yes);
  const subscription = await api.resetSubscription(id, { from: begin, reason }, randomUUID());
  if (context.json) return void context.terminal.document({ subscription });
  context.terminal.result(`${id} is told the log from ${begin === "beginning" ? "its beginning" : subscription.from} on.`);
  if (subscription.paused !== null) context.terminal.note(`It is paused. Go on:  shiplog subscriptions resume ${id}`);
}

async function remove(context: Context, given: string, { reason, yes }: Asked): Promise<undefined> {
  const api = context.api();
  const { id, url } = await api.subscription(given).catch((error: unknown) => removedBefore(given, error));
  if (url !== null) await confirm(context, `Remove ${id} (${url})? Its place in the log is forgotten.`, yes);
  const webhook = await api.changeWebhook(id, "remove", { reason }, randomUUID());
  if (context.json) return void context.terminal.document({ webhook });
  context.terminal.result(`${id} is removed.`);
}

async function rotate(context: Context, given: string): Promise<undefined> {
  const { id } = await context.api().subscription(given);
  return rotateSecret(context, id);
}

const placeOf = ({ place, from }: Subscription): string => place?.position ?? from;

const rowsOf = (one: Subscription): readonly (readonly string[])[] => [
  ["id", one.id],
  ["url", one.url],
  ["events", filtersOf(one)],
  ["from", Number(one.from) === 0 ? "the beginning" : momentOf(one.from)],
  ["place", one.place === null ? "nothing taken yet" : `${one.place.position} (${one.place.at})`],
  ["lag", lagOf(one)],
  ["status", statusOf(one, Date.now())],
];

const momentOf = (position: string): string => `${position} (${new Date(Number(position)).toISOString()})`;

const lagOf = ({ lag }: Subscription): string => {
  if (lag === null) return "not known: the log behind its place was changed (shiplog audit verify)";
  const { seconds, events, more } = lag;
  return events === 0
    ? "up to date"
    : `${showDuration(seconds * 1_000)} behind, ${events.toLocaleString("en")}${more ? "+" : ""} ${events === 1 ? "event" : "events"}`;
};

const statusOf = ({ paused, failing }: Subscription, now: number): string => {
  if (paused !== null) return `paused: ${plain(paused.reason)}`;
  if (failing === null) return "following";
  const { since, attempts, nextAt, reason } = failing;
  return `failing, ${attempts === 1 ? "tried once" : `tried ${attempts} times`} since ${showAge(since, now)}: ${plain(reason)}; next ${nextAt}`;
};
