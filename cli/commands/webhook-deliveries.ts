import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { z } from "zod";
import type { OneDelivery } from "../../client/contract.ts";
import type { Api } from "../api.ts";
import type { Context, Run } from "../context.ts";
import { showAge, showDuration } from "../duration.ts";
import { type ExitCode, exit, usageError } from "../failure.ts";
import { plain, table } from "../terminal.ts";

type Delivery = z.infer<typeof OneDelivery>["delivery"];

/** One attempt takes twenty seconds at most, and an endpoint that is busy with others waits a little before. */
const MAX_WAIT_MS = 45_000;

/** `shiplog webhooks test|deliveries|redeliver`: what was sent, and sending it. */
export const deliveryCommands = (webhooks: Command, run: Run): void => {
  webhooks
    .command("test")
    .description("send a test message and wait for the answer")
    .argument("<id>", "of the endpoint, or a unique beginning of it")
    .action((id: string) => run((context) => test(context, id)));
  webhooks
    .command("deliveries")
    .description("what was sent to an endpoint, newest first; with a delivery, each attempt and its answer")
    .argument("<id>", "of the endpoint, or a unique beginning of it")
    .argument("[delivery]", "or a unique beginning of it")
    .option("--limit <count>", "at most so many, up to 200", "20")
    .action((id: string, delivery: string | undefined, { limit }: { limit: string }) =>
      run((context) => (delivery === undefined ? list(context, id, limit) : show(context, id, delivery))),
    );
  webhooks
    .command("redeliver")
    .description("send a delivery once more, with the same id, and wait for the answer")
    .argument("<id>", "of the endpoint, or a unique beginning of it")
    .argument("<delivery>", "or a unique beginning of it")
    .action((id: string, delivery: string) => run((context) => redeliver(context, id, delivery)));
};

async function test(context: Context, given: string): Promise<ExitCode> {
  const api = context.api();
  const { id } = await api.webhook(given);
  return outcome(context, api, id, await api.testWebhook(id, randomUUID()));
}

async function redeliver(context: Context, given: string, delivery: string): Promise<ExitCode> {
  const api = context.api();
  const { id } = await api.webhook(given);
  return outcome(context, api, id, await api.redeliver(id, delivery, randomUUID()));
}

/** Waits for the attempt that was asked for, or for the end of a message that comes to none, and tells what it came to. */
async function outcome(context: Context, api: Api, webhook: string, before: Delivery): Promise<ExitCode> {
  const { terminal, json, signal } = context;
  for (const until = Date.now() + MAX_WAIT_MS; ; await sleep(250, undefined, { signal })) {
    const delivery = await api.delivery(webhook, before.id);
    const late = delivery.attempts <= before.attempts && !endedSince(before, delivery);
    if (late && Date.now() < until) continue;
    if (json) terminal.document({ delivery });
    else terminal.result(late ? `${delivery.id}  not sent yet` : `${delivery.id}  ${wordsOf(delivery)}`);
    if (delivery.status !== "delivered") terminal.note(`Look closer:  shiplog webhooks deliveries ${webhook} ${delivery.id}`);
    return late ? exit.timeout : delivery.status === "delivered" ? exit.reached : exit.failed;
  }
}

const endedSince = (before: Delivery, { status, updatedAt }: Delivery): boolean =>
  status !== "pending" && (status !== before.status || updatedAt !== before.updatedAt);

async function list({ api: open, terminal, json }: Context, given: string, limit: string): Promise<ExitCode> {
  if (!/^\d+$/.test(limit) || Number(limit) < 1 || Number(limit) > 200)
    throw usageError(`--limit "${limit}" is not a number from 1 to 200.`);
  const api = open();
  const { id } = await api.webhook(given);
  const deliveries = await api.deliveries(id, Number(limit));
  if (json) terminal.document({ deliveries });
  else if (deliveries.length === 0) terminal.note(`Nothing was sent to ${id} yet. Try it:  shiplog webhooks test ${id}`);
  else {
    const now = Date.now();
    const rows = deliveries.map((delivery) => [
      delivery.id,
      delivery.type,
      `${delivery.site}/${delivery.environment}`,
      showAge(delivery.createdAt, now),
      plain(wordsOf(delivery)),
    ]);
    terminal.result(table([["ID", "EVENT", "WHERE", "AGE", "STATUS"], ...rows]));
  }
  return exit.reached;
}

async function show({ api: open, terminal, json }: Context, given: string, named: string): Promise<ExitCode> {
  const api = open();
  const { id } = await api.webhook(given);
  const delivery = await api.delivery(id, named);
  if (json) {
    terminal.document({ delivery });
    return exit.reached;
  }
  const facts = [
    ["id", delivery.id],
    ["event", `${delivery.type} ${delivery.event}`],
    ["where", `${delivery.site}/${delivery.environment}${delivery.deployment === null ? "" : ` ${delivery.deployment}`}`],
    ["status", wordsOf(delivery)],
  ];
  terminal.result(table(facts.map((row) => row.map(plain))));
  for (const { attempt, at, status, ms, reason, answer } of delivery.tries.toReversed()) {
    terminal.result(`\n#${attempt}  ${at}  ${status ?? "no answer"}  ${showDuration(ms)}${reason === null ? "" : `  ${plain(reason)}`}`);
    for (const line of (answer ?? "").split("\n").filter((text) => text.trim() !== "")) terminal.result(`  ${plain(line)}`);
  }
  if (delivery.status === "dead") terminal.note(`To send it once more:  shiplog webhooks redeliver ${id} ${delivery.id}`);
  return exit.reached;
}

function wordsOf({ status, attempts, nextAt, reason, tries }: Delivery): string {
  const last = tries[0];
  switch (status) {
    case "delivered":
      return `delivered${last === undefined ? "" : ` (${last.status}) in ${showDuration(last.ms)}`}${attempts > 1 ? `, at attempt ${attempts}` : ""}`;
    case "pending":
      return attempts === 0 ? "waits for its first attempt" : `failed ${attempts} times: ${reason}; again at ${nextAt}`;
    case "dead":
      return `given up after ${attempts === 1 ? "one attempt" : `${attempts} attempts`}: ${reason}`;
    case "dropped":
      return `not sent: ${reason}`;
  }
}
