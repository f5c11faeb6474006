import { randomBytes, randomUUID } from "node:crypto";
import { lstat, realpath, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { writeDotenv } from "../dotenv.ts";
import { environmentName, resolveEnvironment, type Whereabouts } from "../environment.ts";
import { CliError, exit, usageError } from "../failure.ts";
import { GitFailed, openGit, safeDirectories } from "../git.ts";
import { inRepository } from "../git-commit.ts";

/** Writes the values of an environment into a dotenv file of the user's own. */
export async function pull(context: Context, given: string, where: Whereabouts, yes: boolean | undefined): Promise<undefined> {
  const { terminal, json } = context;
  const api = context.api();
  const place = await resolveEnvironment(api, where);
  const { site, environment } = place;
  const file = resolve(given);
  const found = await lstat(file).catch(() => undefined);
  if (found !== undefined && !found.isFile()) throw usageError(`${given} is no file, so nothing is written over it.`, "Name another one.");
  if (found !== undefined) await confirm(context, `${given} is there. Write over it?`, yes);
  const values = await api.readVariables(site, environment, randomUUID());
  const { text, unwritten } = writeDotenv(values);
  await writePrivate(file, text);
  const ignored = await isIgnored(file);
  const names = Object.keys(values)
    .filter((name) => !unwritten.includes(name))
    .sort();
  if (json) terminal.document({ site, environment, file, names, unwritten, ignored });
  else
    terminal.result(
      `${names.length} ${names.length === 1 ? "value" : "values"} of ${environmentName(place)} in ${given}, which only you may read.`,
    );
  if (ignored === false) terminal.note(`Careful: git does not ignore ${given}. Add it to .gitignore before the next commit.`);
  if (unwritten.length > 0)
    throw new CliError(
      exit.failed,
      "dotenv.unwritten",
      `A dotenv file cannot hold the value of ${unwritten.join(", ")}, so it is missing there.`,
      {
        next: "Such a value has all three kinds of quotes, or a carriage return: keep it in base64.",
      },
    );
}

/** Beside its place first, so that it is never there in part, nor readable by others. */
async function writePrivate(file: string, text: string): Promise<void> {
  const beside = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}`);
  try {
    await writeFile(beside, text, { mode: 0o600, flag: "wx" });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** Whether git leaves the file out; `undefined` where there is no repository, or git cannot tell. */
async function isIgnored(file: string): Promise<boolean | undefined> {
  const folder = await realpath(dirname(file));
  if (!inRepository(folder)) return undefined;
  const ask = async (allowed: readonly string[]) => openGit(folder, allowed)("check-ignore", "-q", "--", join(folder, basename(file)));
  try {
    await ask([]).catch(async (error: GitFailed) => {
      if (!error.message.includes("dubious ownership")) throw error;
      return ask(await safeDirectories());
    });
    return true;
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    // its exit code where nothing ignores the file
    return (error.cause as { code?: unknown }).code === 1 ? false : undefined;
  }
}
