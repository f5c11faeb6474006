import { randomUUID } from "node:crypto";
import { type Command, Option } from "commander";
import type { z } from "zod";
import type { ManyVariables } from "../../client/contract.ts";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { showAge } from "../duration.ts";
import { environmentName, resolveEnvironment, type Whereabouts } from "../environment.ts";
import { redeploy, sourcesHere } from "../redeploy.ts";
import { list as listed, plain } from "../terminal.ts";
import { pull } from "./env-pull.ts";
import { set } from "./env-set.ts";

type Where = { readonly site?: string; readonly env?: string; readonly environment?: string };
type Variable = z.infer<typeof ManyVariables>["variables"][number];

/** Variables of an environment: their values go in by stdin or a hidden prompt, and come out by `pull` alone. */
export const envCommand: Register = (program, run) => {
  const env = program.command("env").description("set, list and remove the variables that builds and servers are given");
  located(env.command("set"))
    .description("set a variable; its value is read from stdin, or asked for without showing it")
    .argument("[name]", "one that the sites file declares")
    .option("--from <file>", "all variables of a dotenv file, - for stdin, in one change")
    .allowExcessArguments()
    .action((name: string | undefined, { from, ...where }: Where & { from?: string }, { args }: Command) =>
      run((context) => set(context, { name, more: args.slice(1), from }, whereOf(where))),
    );
  located(env.command("ls"))
    .description("list the variables: when each was set, by whom, and whether it has changed since the live release; never a value")
    .action((where: Where) => run((context) => list(context, whereOf(where))));
  located(env.command("rm"))
    .description("remove a variable's value; builds are refused until a declared one has a value again")
    .argument("<name>")
    .option("-y, --yes", "do not ask")
    .action((name: string, { yes, ...where }: Where & { yes?: boolean }) => run((context) => remove(context, name, whereOf(where), yes)));
  located(env.command("pull"))
    .description("write the values into a dotenv file that only you may read; the log has who read them")
    .argument("[file]", "default: .env.local")
    .option("-y, --yes", "also over a file that is there")
    .action((file: string | undefined, { yes, ...where }: Where & { yes?: boolean }) =>
      run((context) => pull(context, file ?? ".env.local", whereOf(where), yes)),
    );
};

const located = (command: Command): Command =>
  command
    .option("--site <site>", "default: the only one")
    .option("--env <environment>", "default: the only one, or production")
    .addOption(new Option("--environment <environment>", "the same as --env").hideHelp());

const whereOf = ({ site, env, environment }: Where): Whereabouts => ({ site, env: env ?? environment });

async function list(context: Context, given: Whereabouts): Promise<undefined> {
  const { terminal, json } = context;
  const api = context.api();
  const { site, environment } = await resolveEnvironment(api, given);
  const { live, variables } = await api.variables(site, environment);
  if (json) return void terminal.document({ site, environment, live, variables });
  if (variables.length === 0)
    return void terminal.note(`${site}/${environment} has no variable. Declare names in "variables" of the site in the sites file.`);
  const now = Date.now();
  const rows = variables.map((one) => [one.name, one.fingerprint?.slice(0, 8) ?? "-", since(one), origin(one, now), plain(one.by ?? "-")]);
  terminal.result(listed([["NAME", "VALUE", "LIVE", "SET", "BY"], ...rows], ["BY", "LIVE"], terminal.columns));
  const changed = variables.filter((one) => one.changed).map(({ name }) => name);
  if (changed.length > 0)
    terminal.note(
      `Changed since what is live: ${changed.join(", ")}. To take effect:  ${redeploy({ site, environment }, sourcesHere(context))}`,
    );
}

const since = ({ changed }: Variable): string => (changed === null ? "-" : changed ? "changed" : "the same");

const origin = ({ declared, value, at }: Variable, now: number): string => {
  const how = at === null ? { none: "no value", empty: "empty", set: "otherwise" }[value] : showAge(at, now);
  return `${value === "none" && at !== null ? "removed " : ""}${how}${declared ? "" : ", not declared"}`;
};

async function remove(context: Context, name: string, given: Whereabouts, yes: boolean | undefined): Promise<undefined> {
  const api = context.api();
  const place = await resolveEnvironment(api, given);
  const { site, environment } = place;
  await confirm(context, `Remove the value of ${plain(name)} in ${environmentName(place)}? Nobody can get it back.`, yes);
  const { changed, variables } = await api.removeVariable(site, environment, name, randomUUID());
  if (context.json) return void context.terminal.document({ site, environment, changed, variables });
  context.terminal.result(
    changed.length === 0
      ? `${name} had no value in ${environmentName(place)}: nothing was changed.`
      : `${name} is removed from ${environmentName(place)}. What is live keeps it until the next deployment.`,
  );
}
