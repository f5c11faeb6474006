import { randomUUID } from "node:crypto";
import type { z } from "zod";
import type { ManyPeople } from "../../client/contract.ts";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { showAge } from "../duration.ts";
import { usageError } from "../failure.ts";
import { plain, table } from "../terminal.ts";

type Person = z.infer<typeof ManyPeople>["people"][number];
type Options = { readonly reason?: string; readonly yes?: boolean };

/** Whose names the engine knows, and the end of that: the log has pseudonyms alone. */
export const peopleCommand: Register = (program, run) => {
  const people = program.command("people").description("whose names the engine knows, and erasing one");
  people
    .command("ls")
    .description("list the people whose pseudonyms the log has")
    .action(() => run(list));
  people
    .command("forget")
    .description("erase a name for good: the log keeps a pseudonym that nobody can read any more")
    .argument("<actor>", "the name as it is listed, or its pseudonym")
    .option("--reason <text>", "kept in the audit trail; a name in it would be kept as well")
    .option("-y, --yes", "do not ask")
    .action((actor: string, options: Options) => run((context) => forget(context, actor, options)));
};

async function list({ api: open, terminal, json }: Context): Promise<undefined> {
  const people = await open().people();
  if (json) return void terminal.document({ people });
  if (people.length === 0) return void terminal.note("No name is known: nobody has asked for anything yet, or all are forgotten.");
  const now = Date.now();
  terminal.result(table([["NAME", "PSEUDONYM", "SINCE"], ...people.map(({ id, name, since }) => [plain(name), id, showAge(since, now)])]));
}

async function forget(context: Context, actor: string, { reason, yes }: Options): Promise<undefined> {
  const { terminal, json } = context;
  const api = context.api();
  const { id, name } = named(await api.people(), actor);
  // of one without a name there is nothing to ask, and the engine refuses one that it never knew
  if (name !== undefined) await confirm(context, `Forget ${plain(name)}? Nobody can find out any more what ${id} was called.`, yes);
  const forgotten = await api.forgetPerson(id, reason, randomUUID());
  if (json) return void terminal.document({ forgotten });
  if (name === undefined) return void terminal.result(`${id} was forgotten before: nothing was changed.`);
  terminal.result(`${plain(name)} is forgotten: the log has ${id}, and nothing says who that was.`);
  terminal.note("Not changed: exports and messages that were made before, and names that an older Shiplog wrote into the log itself.");
}

/** One that is listed, by name or by pseudonym; what was forgotten before is asked for by its pseudonym. */
const named = (people: readonly Person[], actor: string): Pick<Person, "id"> & Partial<Person> => {
  const found = people.find(({ id, name }) => name === actor || id === actor);
  if (found !== undefined) return found;
  if (/^per_/.test(actor)) return { id: actor };
  const like = people.filter(({ name }) => name.toLowerCase().includes(actor.toLowerCase())).map(({ name }) => plain(name));
  throw usageError(
    `No person is known as "${plain(actor)}".`,
    like.length > 0 ? `Known: ${like.slice(0, 10).join(", ")}` : "The names that are known:  shiplog people ls",
  );
};
