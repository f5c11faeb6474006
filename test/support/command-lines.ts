import { CommanderError } from "commander";
import { buildProgram } from "../../cli/program.ts";

/** Every command of Shiplog in a piece of shell, as one line of words. */
export const commandsInShell = (shell: string): string[] =>
  shell
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => line.replace(/(^|\s)#.*$/, "").split(/&&|\|\||[|;]/))
    .flatMap((part) => /^\s*(?:\w+=\S* )*(?:npx |node_modules\/\.bin\/)?shiplog (.*)$/.exec(part)?.[1] ?? []);

/** As a shell does it, as far as documents need it. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'<>]+|[<>]+\s*\S+/g)]
    .map(([word]) => word)
    .filter((word) => !/^[<>]/.test(word))
    .map((word) => word.replace(/^["']|["']$/g, ""));

/** What the command says of them; `undefined` where it would begin. Nothing is begun. */
export const refusalOf = async (words: readonly string[]): Promise<string | undefined> => {
  const program = buildProgram(() => () => Promise.resolve());
  const quiet = { writeOut: () => undefined, writeErr: () => undefined };
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])])
    command.exitOverride().configureOutput(quiet);
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    return (error as Error).message;
  }
  return undefined;
};
