import { randomUUID } from "node:crypto";
import type { z } from "zod";
import type { DeadLetter } from "../../client/contract.ts";
import { jsonText } from "../../domain/kernel/text.ts";
import type { Api } from "../api.ts";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { showAge } from "../duration.ts";
import { CliError, type ExitCode, exit, usageError } from "../failure.ts";
import { plain, table } from "../terminal.ts";

type Letter = z.infer<typeof DeadLetter>;
type RedriveOptions = { readonly all?: boolean; readonly consumer?: string; readonly reason?: string; readonly yes?: boolean };

/** What no consumer could take: looked at, sent again or thrown away. */
export const quarantineCommand: Register = (program, run) => {
  const quarantine = program.command("quarantine").description("see what no consumer could take, send it again or drop it");
  quarantine
    .command("ls")
    .description("list the dead letters: what was given up, and why")
    .action(() => run(list));
  quarantine
    .command("show")
    .description("show one with its body")
    .argument("<id>", "or a unique beginning of it")
    .action((id: string) => run((context) => show(context, id)));
  quarantine
    .command("redrive")
    .description("send one to its consumer again, or all of them, and remove it from the dead letters")
    .argument("[id]", "or a unique beginning of it")
    .option("--all", "every one that is listed")
    .option("--consumer <name>", "with --all: only of this consumer")
    .option("--reason <text>", "kept in the audit trail")
    .option("-y, --yes", "with --all: do not ask")
    .action((id: string | undefined, options: RedriveOptions) => run((context) => redrive(context, id, options)));
  quarantine
    .command("drop")
    .description("throw one away: nothing is done about it any more")
    .argument("<id>", "or a unique beginning of it")
    .requiredOption("--reason <text>", "why nobody needs it; kept in the audit trail")
    .option("-y, --yes", "do not ask")
    .action((id: string, options: { reason: string; yes?: boolean }) => run((context) => drop(context, id, options)));
};

async function list({ api: open, terminal, json }: Context): Promise<ExitCode> {
  const { letters, unread } = await open().deadLetters();
  for (const name of unread)
    terminal.note(`The dead letters of ${name} cannot be read: its queue of them is gone. What to do says: shiplog doctor`);
  const now = Date.now();
  if (json) terminal.document({ letters, unread });
  else if (letters.length === 0) terminal.note(unread.length === 0 ? "There are no dead letters." : "There are no others.");
  else
    terminal.result(
      table([
        ["ID", "CONSUMER", "PUT ASIDE", "REASON"],
        ...letters.map((letter) => [
          letter.messageId,
          letter.consumer,
          letter.at === null ? "-" : showAge(letter.at, now),
          `${unfinished(letter)}${plain(letter.reason)}`,
        ]),
      ]),
    );
  return unread.length === 0 ? exit.reached : exit.failed;
}

/** Somebody decided of it and was cut off: it is there still. */
const unfinished = ({ decided }: Letter): string =>
  decided === null ? "" : `${decided.what} by ${plain(decided.by)}, and still there: ask for it once more. `;

async function show({ api: open, terminal, json }: Context, id: string): Promise<undefined> {
  const letter = await open().deadLetter(id);
  if (json) return void terminal.document({ letter });
  const { messageId, consumer, reason, at, tries, about, decided, body } = letter;
  terminal.result(
    table([
      ["id", messageId],
      ["consumer", consumer],
      ["reason", plain(reason)],
      ["put aside", at ?? "-"],
      ["tried", tries === null ? "-" : `${tries} times`],
      ["about", about === null ? "-" : plain([about.type, about.stream, about.event].filter(Boolean).join(" "))],
      ...(decided === null ? [] : [["decided", unfinished(letter).trim()]]),
    ]),
  );
  terminal.result(bodyText(body));
  terminal.note(`Send it again:  shiplog quarantine redrive ${messageId}`);
}

/** JSON as it is, on lines of its own; anything else as one line. */
const bodyText = (body: string): string => {
  try {
    return jsonText(JSON.parse(body), 2);
  } catch {
    return plain(body);
  }
};

async function redrive(context: Context, id: string | undefined, options: RedriveOptions): Promise<undefined> {
  const { all = false, consumer, reason, yes } = options;
  if (all === (id !== undefined)) throw usageError("Say which dead letter: its id, or --all.", "List them with:  shiplog quarantine ls");
  if (consumer !== undefined && !all) throw usageError("--consumer goes with --all alone.");
  const api = context.api();
  if (id !== undefined) {
    const { messageId } = await whole(api, id);
    const letter = await api.settleLetter(messageId, "redrive", { reason }, randomUUID());
    if (context.json) return void context.terminal.document({ letter });
    return void context.terminal.result(`${messageId} was sent to ${letter.consumer} again.`);
  }
  const letters = (await api.deadLetters()).letters.filter((letter) => consumer === undefined || letter.consumer === consumer);
  if (letters.length > 0) await confirm(context, `Send ${letters.length} dead letters to their consumers again?`, yes);
  const redriven: unknown[] = [];
  for (const { messageId } of letters) {
    const letter = await unlessGone(api.settleLetter(messageId, "redrive", { reason }, randomUUID()));
    if (letter === undefined) context.terminal.note(`${messageId} is no dead letter any more.`);
    else redriven.push(letter);
  }
  if (context.json) return void context.terminal.document({ redriven });
  context.terminal.note(
    letters.length === 0 ? "There are no dead letters." : `${redriven.length} were sent again. See what is left:  shiplog quarantine ls`,
  );
}

async function drop(context: Context, id: string, { reason, yes }: { reason: string; yes?: boolean }): Promise<undefined> {
  const api = context.api();
  const { messageId, consumer } = await whole(api, id);
  await confirm(
    context,
    `Throw ${messageId}${consumer === undefined ? "" : ` of ${consumer}`} away? Nothing will be done about it any more.`,
    yes,
  );
  const letter = await api.settleLetter(messageId, "drop", { reason }, randomUUID());
  if (context.json) return void context.terminal.document({ letter });
  context.terminal.result(`${messageId} is dropped.`);
}

/** By its whole id, so that a request that is sent again finds it gone, and not another one. One that is gone is asked for all the same. */
async function whole(api: Api, id: string): Promise<{ messageId: string; consumer?: string }> {
  return (await unlessGone(api.deadLetter(id))) ?? { messageId: id };
}

async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CliError && error.code === "letter.unknown") return undefined;
    throw error;
  }
}
