import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { Context } from "../context.ts";
import { readDotenv } from "../dotenv.ts";
import { environmentName, resolveEnvironment, type Whereabouts } from "../environment.ts";
import { usageError } from "../failure.ts";
import { redeploy, sourcesHere } from "../redeploy.ts";
import { plain } from "../terminal.ts";

/** `more`: words behind the name, which are no values. `from`: a dotenv file, or `-`. */
type Given = { readonly name: string | undefined; readonly more: readonly string[]; readonly from: string | undefined };

/** Sets one variable, or all of a dotenv file. */
export async function set(context: Context, given: Given, where: Whereabouts): Promise<undefined> {
  const name = nameOf(given);
  const api = context.api();
  const place = await resolveEnvironment(api, where);
  const { site, environment } = place;
  const values = given.from === undefined ? { [name]: await readValue(context, name, environmentName(place)) } : await readFrom(given.from);
  const { changed, variables } = await api.setVariables(site, environment, values, randomUUID());
  if (context.json) return void context.terminal.document({ site, environment, changed, variables });
  const others = Object.keys(values).filter((one) => !changed.includes(one));
  const lines = [
    ...(changed.length === 0 ? [] : [`${sentence(changed)} set in ${environmentName(place)}.`]),
    ...(others.length === 0 ? [] : [`${others.join(", ")} had this value already: nothing was changed.`]),
  ];
  context.terminal.result(lines.join("\n"));
  if (changed.length > 0)
    context.terminal.note(`It takes effect with the next deployment:  ${redeploy({ site, environment }, sourcesHere(context))}`);
}

const sentence = (names: readonly string[]): string => `${names.join(", ")} ${names.length === 1 ? "is" : "are"}`;

/** @throws CliError (usage) where it is not said what to set, or a value came as an argument, which is not repeated */
function nameOf({ name, more, from }: Given): string {
  if (from !== undefined) {
    if (name === undefined) return "";
    throw usageError("A name and --from both say what to set.", "Give one of them.");
  }
  if (name === undefined)
    throw usageError("Which variable?", 'Write its name: printf %s "$VALUE" | shiplog env set NAME. Or give a dotenv file: --from FILE.');
  const [, before = ""] = /^([^=]*)=/.exec(name) ?? [];
  if (more.length > 0 || name.includes("="))
    throw usageError(
      `A value is never an argument: the shell's history keeps it, and every user of the machine sees it while the command runs.`,
      `Give it by stdin: printf %s "$VALUE" | shiplog env set ${plain(before || name.replace(/=.*/s, ""))}. Was it a secret, take another one.`,
    );
  return name;
}

/** Exactly what comes by stdin, without one newline at its end; on a terminal one line that is not shown. */
async function readValue({ terminal, signal }: Context, name: string, place: string): Promise<string> {
  if (process.stdin.isTTY && !terminal.interactive) throw usageError(`No value of ${name} came by stdin.`, "Give it by stdin.");
  const value = process.stdin.isTTY
    ? await terminal.secret(`Value of ${plain(name)} in ${place} (it is not shown)`, signal)
    : textOf(await buffer(process.stdin)).replace(/\r?\n$/, "");
  if (value === "")
    throw usageError(
      `No value of ${plain(name)} was given.`,
      `Is the variable in the command not set? An empty value is set by: echo ${plain(name)}= | shiplog env set --from -`,
    );
  return value;
}

async function readFrom(file: string): Promise<Record<string, string>> {
  const where = file === "-" ? "stdin" : file;
  const bytes = await (file === "-" ? buffer(process.stdin) : readFile(file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw usageError(`There is no file ${file}.`);
    throw error;
  });
  const values = readDotenv(textOf(bytes));
  if (Object.keys(values).length === 0)
    throw usageError(`No variable was found in ${where}.`, "Write one a line: NAME=value, with quotes around what has spaces.");
  return values;
}

const textOf = (bytes: Buffer): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw usageError("What came is not text in UTF-8.", "Give bytes in base64, and let the app decode them.");
  }
};
