import type { Command } from "commander";
import { ALWAYS, commandsOf, exampleLines, shown } from "../../cli/examples.ts";
import { exitCodes } from "../../cli/exit-codes.ts";
import { buildProgram } from "../../cli/program.ts";
import { code, heading, joined, prose, table } from "./markdown.ts";

const MANY = 12;

const anchor = (words: string): string => `shiplog-${words.replaceAll(" ", "-")}`;
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const optionRows = (command: Command): string[][] =>
  command.options
    .filter(({ hidden }) => !hidden)
    .map(({ flags, description, mandatory, defaultValue }) => [
      code(flags),
      [
        ...(mandatory ? ["required"] : []),
        prose(description),
        ...(defaultValue === undefined || typeof defaultValue === "boolean" ? [] : [`default ${code(String(defaultValue))}`]),
      ]
        .filter((part) => part !== "")
        .join("; "),
    ]);

const argumentRows = (command: Command): string[][] =>
  command.registeredArguments.map((argument) => [
    code(argument.required ? `<${argument.name()}>` : `[${argument.name()}]`),
    [
      argument.description === "" ? "" : prose(argument.description),
      ...(argument.argChoices === undefined ? [] : [argument.argChoices.map(code).join(", ")]),
      ...(argument.defaultValue === undefined ? [] : [`default ${code(String(argument.defaultValue))}`]),
    ]
      .filter((part) => part !== "")
      .join(": "),
  ]);

const commandSection = ([words, command]: readonly [string, Command]): string => {
  const told = shown[words];
  if (told === undefined) throw new Error(`cli/examples.ts: give an example of ${words}`);
  const ends = [...new Set([...ALWAYS, ...(told.ends ?? [])])].sort((one, other) => one - other);
  return joined(
    `## shiplog ${words}`,
    sentence(prose(command.description())),
    `\`\`\`\n${command.createHelp().commandUsage(command)}\n\`\`\``,
    table(["argument", ""], argumentRows(command)),
    table(["option", ""], optionRows(command)),
    `\`\`\`sh\n${exampleLines(told).join("\n")}\n\`\`\``,
    `[Exit codes](exit-codes.md): ${ends.join(", ")}.`,
  ).trimEnd();
};

/** Every command: how it is written, what it takes, an example, how it may end. */
export const cliPage = (): string => {
  const program = buildProgram(() => () => Promise.resolve());
  const commands = commandsOf(program);
  return joined(
    heading(
      "Commands",
      "Every command of `shiplog`, as `shiplog <command> --help` shows it. Codes are explained in [exit codes](exit-codes.md), what a command reads of its environment in [environment variables](environment.md). An id may be cut to a beginning that only one has.",
    ).trimEnd(),
    table(
      ["command", ""],
      commands.map(([words, command]) => [`[${code(words)}](#${anchor(words)})`, prose(command.description())]),
    ),
    "## Options of every command",
    table(["option", ""], [...optionRows(program), [code("-h, --help"), "show the command's help"]]),
    ...commands.map(commandSection),
  );
};

/** When a command ends with which code, and which commands do. */
export const exitCodesPage = (): string => {
  const program = buildProgram(() => () => Promise.resolve());
  const endsWith = (wanted: number): string => {
    const all = commandsOf(program).filter(([words]) => shown[words]?.ends?.some((one) => one === wanted));
    // a list of nearly all tells nothing
    if (all.length > MANY) return "most";
    return all.map(([words]) => `[${code(words)}](cli.md#${anchor(words)})`).join(", ");
  };
  return joined(
    heading("Exit codes", "Scripts may rely on these numbers: they never change their meaning.").trimEnd(),
    table(
      ["code", "when", "commands, where not all"],
      exitCodes.map(({ code: number, when }) => [String(number), when, endsWith(number)]),
    ),
    "With `--json` an error is one JSON document too: `error.code`, `error.message`, and what to do in `error.next`. [Troubleshooting](../troubleshooting.md) has them by their codes and messages.",
  );
};
